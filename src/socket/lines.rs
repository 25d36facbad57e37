//! Lines from the other end, each of a bounded length.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// How much is read at once, in bytes.
const PIECE: usize = 8 * 1024;

/// Reads lines; keeps no more of them than the longest may have, and one piece.
#[derive(Debug)]
pub struct Lines<R> {
    from: R,
    read: Vec<u8>,
    /// How much of it is known to hold no newline.
    searched: usize,
    longest: usize,
    ended: bool,
}

/// Why there is no further line.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The line is longer than it may be; what follows is left unread.
    #[error("a line of more than {0} bytes")]
    TooLong(usize),
    /// The connection is broken.
    #[error(transparent)]
    Broken(#[from] io::Error),
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Lines from there, of at most `longest` bytes.
    pub const fn new(from: R, longest: usize) -> Self {
        Self {
            from,
            read: Vec::new(),
            searched: 0,
            longest,
            ended: false,
        }
    }

    /// The next line without its newline; `None` at the end. A last line needs no newline. A call that is
    /// dropped has lost nothing.
    ///
    /// # Errors
    /// When it is too long, or the connection is broken.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, LineError> {
        loop {
            let fresh = &self.read[self.searched..];
            if let Some(at) = fresh.iter().position(|byte| *byte == b'\n') {
                let mut line = self.take(self.searched + at + 1);
                line.pop();
                return Ok(Some(line));
            }
            self.searched = self.read.len();
            if self.read.len() > self.longest {
                self.read = Vec::new();
                self.searched = 0;
                self.ended = true;
                return Err(LineError::TooLong(self.longest));
            }
            if self.ended {
                let rest = self.take(self.read.len());
                return Ok((!rest.is_empty()).then_some(rest));
            }
            self.read.reserve(PIECE);
            if self.from.read_buf(&mut self.read).await? == 0 {
                self.ended = true;
            }
        }
    }

    /// Where they come from.
    pub const fn inner(&self) -> &R {
        &self.from
    }

    fn take(&mut self, end: usize) -> Vec<u8> {
        let rest = self.read.split_off(end);
        self.searched = 0;
        std::mem::replace(&mut self.read, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(text: &[u8], longest: usize) -> (Vec<String>, bool) {
        let mut lines = Lines::new(text, longest);
        let mut found = Vec::new();
        loop {
            match lines.next().await {
                Ok(Some(line)) => found.push(String::from_utf8(line).unwrap()),
                Ok(None) => return (found, true),
                Err(_) => return (found, false),
            }
        }
    }

    #[tokio::test]
    async fn lines_are_read_one_by_one_and_none_is_longer_than_it_may_be() {
        let cases: [(&str, &[&str], bool); 6] = [
            ("", &[], true),
            ("a\nb\n", &["a", "b"], true),
            ("a\n\nb", &["a", "", "b"], true),
            ("0123456789\n", &["0123456789"], true),
            ("a\n01234567890", &["a"], false),
            ("01234567890 without an end", &[], false),
        ];
        for (text, expected, whole) in cases {
            let (found, ended) = all(text.as_bytes(), 10).await;
            assert_eq!(
                (found.as_slice(), ended),
                (expected.map_owned().as_slice(), whole),
                "{text}"
            );
        }
    }

    trait MapOwned {
        fn map_owned(&self) -> Vec<String>;
    }

    impl MapOwned for &[&str] {
        fn map_owned(&self) -> Vec<String> {
            self.iter().map(|text| (*text).to_owned()).collect()
        }
    }

    #[tokio::test]
    async fn an_endless_line_takes_no_memory() {
        let mut lines = Lines::new(tokio::io::repeat(b'x'), 64 * 1024);
        assert!(matches!(lines.next().await, Err(LineError::TooLong(_))));
        assert_eq!(lines.read.capacity(), 0);
        assert!(matches!(lines.next().await, Ok(None)));
    }
}
