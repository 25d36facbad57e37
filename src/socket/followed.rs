//! One thing that a client follows, and what it was told of it last: it is told again only what is another.

/// One thing that may be followed.
#[derive(Default)]
pub(super) enum Followed<T> {
    /// It is not.
    #[default]
    No,
    /// It is, and nothing was told yet.
    New,
    /// It is, and this was told last.
    Told(Box<T>),
}

impl<T: PartialEq + Clone> Followed<T> {
    /// What it is now, where that is to be told.
    pub fn news(&mut self, now: impl FnOnce() -> T) -> Option<T> {
        let told = match self {
            Self::No => return None,
            Self::New => None,
            Self::Told(told) => Some(&**told),
        };
        let now = now();
        if told == Some(&now) {
            return None;
        }
        *self = Self::Told(Box::new(now.clone()));
        Some(now)
    }
}
