//! Bounded parts of files that somebody else writes, read without ever waiting for a writer.
//!
//! Only regular files are read: a pipe that somebody put in a file's place would hold the reader up, and a
//! device may have no end. Nothing is locked, so what is read may be half written; its end may be torn.
//! Called by `evidence` about the files that agents keep; the program's own files are `store`'s.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

/// Part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where in the file it begins, in bytes.
    pub begins: u64,
    /// What stands there.
    pub bytes: Vec<u8>,
}

/// The whole of a file of at most `bound` bytes.
///
/// # Errors
/// When the file is larger (`FileTooLarge`), is no regular file, is not there, or the system refuses.
pub fn read_whole(path: &Path, bound: u64) -> io::Result<Vec<u8>> {
    let (file, length) = open(path)?;
    let bytes = read(file, bound.saturating_add(1))?;
    if length > bound || bytes.len() as u64 > bound {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {bound} bytes"),
        ));
    }
    Ok(bytes)
}

/// How long a file is, in bytes.
///
/// # Errors
/// When it is no regular file, is not there, or the system refuses.
pub fn length(path: &Path) -> io::Result<u64> {
    Ok(open(path)?.1)
}

/// The last `bound` bytes of a file, or all of it.
///
/// # Errors
/// When it is no regular file, is not there, or the system refuses.
pub fn read_tail(path: &Path, bound: u64) -> io::Result<Part> {
    let (file, length) = open(path)?;
    part(file, length.saturating_sub(bound), bound)
}

/// At most `bound` bytes of a file, from the byte `begins` on; nothing where the file is shorter.
///
/// # Errors
/// When it is no regular file, is not there, or the system refuses.
pub fn read_from(path: &Path, begins: u64, bound: u64) -> io::Result<Part> {
    let (file, _) = open(path)?;
    part(file, begins, bound)
}

fn open(path: &Path) -> io::Result<(File, u64)> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let metadata = file.metadata()?;
    if metadata.is_file() {
        Ok((file, metadata.len()))
    } else {
        Err(io::Error::other("it is no regular file"))
    }
}

fn part(mut file: File, begins: u64, bound: u64) -> io::Result<Part> {
    file.seek(SeekFrom::Start(begins))?;
    let bytes = read(file, bound)?;
    Ok(Part { begins, bytes })
}

fn read(file: File, bound: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(bound).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the files of the tests")]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "0123456789").unwrap();
        assert_eq!(read_whole(&path, 10).unwrap(), b"0123456789");
        let error = read_whole(&path, 9).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        let part = |part: io::Result<Part>| {
            let part = part.unwrap();
            (part.begins, String::from_utf8(part.bytes).unwrap())
        };
        assert_eq!(part(read_tail(&path, 4)), (6, "6789".into()));
        assert_eq!(part(read_tail(&path, 40)), (0, "0123456789".into()));
        assert_eq!(part(read_from(&path, 3, 2)), (3, "34".into()));
        assert_eq!(part(read_from(&path, 30, 2)), (30, String::new()));
        assert_eq!(length(&path).unwrap(), 10);
    }

    #[test]
    fn what_is_no_regular_file_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        for path in [&pipe, folder.path(), Path::new("/dev/zero")] {
            assert!(read_whole(path, 10).is_err(), "{}", path.display());
            assert!(read_tail(path, 10).is_err(), "{}", path.display());
            assert!(length(path).is_err(), "{}", path.display());
        }
        let missing = read_tail(&folder.path().join("b"), 1).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
