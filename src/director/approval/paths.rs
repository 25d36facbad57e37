//! Paths as they are written, without a look at the disk: links are not followed.

/// A path whose `.` and `..` are worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Whether it begins at the root; else at a folder that is not known.
    absolute: bool,
    parts: Vec<String>,
}

/// Whether a part of it is `..`.
pub(super) fn leads_upwards(path: &str) -> bool {
    path.split('/').any(|part| part == "..")
}

impl Place {
    /// Where `path` leads, from `folder` where it is relative. `None` where that cannot be told: it is empty,
    /// begins with `~` or a variable, or leads out of what is known.
    pub(super) fn resolved(path: &str, folder: Option<&str>) -> Option<Self> {
        let folder = folder.filter(|folder| folder.starts_with('/'));
        if path.trim().is_empty() || path.starts_with('~') || path.contains('$') {
            return None;
        }
        let start = match folder {
            _ if path.starts_with('/') => "",
            Some(folder) => folder,
            None => "",
        };
        let absolute = path.starts_with('/') || folder.is_some();
        let mut parts: Vec<String> = Vec::new();
        for part in start.split('/').chain(path.split('/')) {
            match part {
                "" | "." => {}
                // above the root is the root
                ".." => {
                    if parts.pop().is_none() && !absolute {
                        return None;
                    }
                }
                part => parts.push(part.to_owned()),
            }
        }
        Some(Self { absolute, parts })
    }

    /// Whether it is `above`, or lies below it.
    pub(super) fn is_within(&self, above: &Self) -> bool {
        self.absolute == above.absolute && self.parts.starts_with(&above.parts)
    }

    /// It in words: whole, and from `folder` where it lies below that.
    pub(super) fn spellings(&self, folder: Option<&str>) -> impl Iterator<Item = String> {
        let joined = |parts: &[String]| parts.join("/");
        let whole = if self.absolute {
            format!("/{}", joined(&self.parts))
        } else {
            joined(&self.parts)
        };
        let folder = folder.and_then(|folder| Self::resolved(folder, None));
        let below = folder
            .filter(|folder| folder.absolute && self.is_within(folder))
            .map(|folder| joined(&self.parts[folder.parts.len()..]));
        [Some(whole), below].into_iter().flatten()
    }
}
