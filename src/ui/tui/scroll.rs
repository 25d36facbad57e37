//! How far a text is scrolled: to a row of it, or to its end whatever comes.

use std::cell::Cell;

/// The place in a text of which a window shows some rows.
///
/// Drawing tells it how far there is to scroll; keys between two drawings count from there.
#[derive(Debug, Clone, Default)]
pub struct Scroll {
    top: Cell<usize>,
    follows: bool,
    /// The last row that may be the first in the window, when it was drawn last.
    last_top: Cell<usize>,
    /// The rows of the window then.
    height: Cell<usize>,
}

impl Scroll {
    /// At the beginning.
    pub fn to_start() -> Self {
        Self::default()
    }

    /// At the end, and staying there when rows are added.
    pub fn to_end() -> Self {
        Self {
            follows: true,
            ..Self::default()
        }
    }

    /// Whether the end is shown, whatever comes.
    pub const fn follows(&self) -> bool {
        self.follows
    }

    /// Remembers how many rows there are, and how many of them the window has; gives the first row to show.
    pub fn window(&self, rows: usize, height: usize) -> usize {
        self.last_top.set(rows.saturating_sub(height));
        self.height.set(height);
        self.top()
    }

    /// The first row that is shown.
    pub fn top(&self) -> usize {
        if self.follows {
            self.last_top.get()
        } else {
            self.top.get().min(self.last_top.get())
        }
    }

    /// The row below the last one that is shown.
    pub fn bottom(&self) -> usize {
        self.top() + self.height.get()
    }

    /// How many rows are above and below what is shown.
    pub fn hidden(&self) -> (usize, usize) {
        (self.top(), self.last_top.get() - self.top())
    }

    /// Moves by so many rows; up where it is negative. Whoever comes to the end stays there.
    pub fn by(&mut self, rows: isize) {
        let top = self.top().saturating_add_signed(rows);
        self.top.set(top);
        self.follows = rows > 0 && top >= self.last_top.get();
    }

    /// Moves by so many windows, less a row for the eye to hold on to.
    pub fn by_pages(&mut self, pages: isize) {
        let page = self.height.get().saturating_sub(1).max(1);
        self.by(pages.saturating_mul(page.cast_signed()));
    }

    /// Stays with the rows that are shown, after so many came in above them (or went, where it is negative).
    pub fn shift(&self, rows: isize) {
        self.top.set(self.top.get().saturating_add_signed(rows));
    }

    /// Moves to the beginning.
    pub fn start(&mut self) {
        self.top.set(0);
        self.follows = false;
    }

    /// Moves to the end, and stays there.
    pub fn end(&mut self) {
        self.follows = true;
    }

    /// Moves as little as it takes to show these rows; their first, where they are more than the window has.
    pub fn show(&mut self, rows: std::ops::Range<usize>) {
        let height = self.height.get().max(1);
        let top = self.top();
        let top = top.max(rows.end.saturating_sub(height)).min(rows.start);
        self.top.set(top);
        self.follows = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_the_end_until_somebody_scrolls_up_and_again_from_the_end_on() {
        let mut scroll = Scroll::to_end();
        assert_eq!(scroll.window(100, 10), 90);
        assert_eq!(scroll.window(105, 10), 95);
        scroll.by(-5);
        assert_eq!((scroll.window(105, 10), scroll.follows()), (90, false));
        assert_eq!(scroll.window(200, 10), 90, "what is read stays");
        scroll.by(1000);
        assert_eq!((scroll.window(200, 10), scroll.follows()), (190, true));
        assert_eq!(scroll.window(210, 10), 200);
        scroll.start();
        assert_eq!(scroll.window(210, 10), 0);
        scroll.by_pages(1);
        assert_eq!(scroll.window(210, 10), 9);
        scroll.by_pages(-3);
        assert_eq!(scroll.window(210, 10), 0);
        scroll.end();
        assert_eq!(scroll.window(210, 10), 200);
    }

    #[test]
    fn what_is_shorter_than_its_window_begins_at_its_beginning() {
        let mut scroll = Scroll::to_end();
        for (rows, height) in [(0, 0), (0, 10), (3, 10), (10, 10)] {
            assert_eq!(scroll.window(rows, height), 0, "{rows} in {height}");
            scroll.by(7);
            scroll.by(-9);
            scroll.by_pages(1);
        }
    }

    #[test]
    fn rows_are_shown_with_as_little_movement_as_it_takes() {
        let mut scroll = Scroll::to_start();
        scroll.window(100, 10);
        for (rows, top) in [(3..6, 0), (8..12, 2), (4..6, 2), (50..80, 50), (0..1, 0)] {
            scroll.show(rows.clone());
            assert_eq!(scroll.window(100, 10), top, "{rows:?}");
        }
    }
}
