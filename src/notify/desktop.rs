//! Notices on the desktop, where the program was built with the feature `desktop` and there is a session bus.
//!
//! The library blocks, and a bus may hang: a thread of its own shows one notice after the other, each in place of
//! the one before, and is never waited for beyond a deadline. What waits for a bus that hangs is the newest alone. Without the feature nothing here does anything. That
//! nobody shows it is no news: the default is to try.

use std::time::Duration;

use super::message::Message;

/// Whether there is a session bus to show anything on.
#[cfg(feature = "desktop")]
pub(super) fn is_there() -> bool {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    variable("DBUS_SESSION_BUS_ADDRESS").is_some()
        || variable("XDG_RUNTIME_DIR")
            .is_some_and(|folder| std::path::Path::new(&folder).join("bus").exists())
}

/// Why nothing is shown.
#[cfg(feature = "desktop")]
pub(super) const WHY_NOT: &str = "there is no session bus";

#[cfg(not(feature = "desktop"))]
pub(super) const fn is_there() -> bool {
    false
}

/// Why nothing is shown.
#[cfg(not(feature = "desktop"))]
pub(super) const WHY_NOT: &str = "this program was built without the feature `desktop`";

#[cfg(feature = "desktop")]
mod shown {
    use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

    use notify_rust::{Notification, NotificationHandle, Timeout};
    use tokio::sync::oneshot;

    use super::Message;

    pub(super) enum Order {
        Show(Message, oneshot::Sender<Result<(), String>>),
        Close,
    }

    /// What is to be done next: the newest takes the place of one that waits, so that a bus that comes back after
    /// an hour is not shown what was answered long ago.
    struct Desk {
        next: Option<Order>,
        is_served: bool,
    }

    static DESK: Mutex<Desk> = Mutex::new(Desk {
        next: None,
        is_served: false,
    });
    static NEWS: Condvar = Condvar::new();

    fn desk() -> MutexGuard<'static, Desk> {
        DESK.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands an order to the thread, which is started where there is none.
    pub(super) fn order(order: Order) -> Result<(), String> {
        let mut desk = desk();
        if !desk.is_served {
            std::thread::Builder::new()
                .name("desktop".into())
                .spawn(serve)
                .map_err(|error| error.to_string())?;
            desk.is_served = true;
        }
        desk.next = Some(order);
        NEWS.notify_one();
        Ok(())
    }

    /// Says so when the thread breaks down: the next order starts another.
    struct Serving;

    impl Drop for Serving {
        fn drop(&mut self) {
            desk().is_served = false;
        }
    }

    fn serve() {
        let _serving = Serving;
        let mut shown: Option<NotificationHandle> = None;
        loop {
            let next = {
                let waited = NEWS.wait_while(desk(), |desk| desk.next.is_none());
                waited.unwrap_or_else(PoisonError::into_inner).next.take()
            };
            match next {
                Some(Order::Show(message, done)) => {
                    let said = show(&message, &mut shown);
                    let _ = done.send(said);
                }
                Some(Order::Close) => {
                    if let Some(shown) = shown.take() {
                        shown.close();
                    }
                }
                None => {}
            }
        }
    }

    fn show(message: &Message, shown: &mut Option<NotificationHandle>) -> Result<(), String> {
        let mut notice = Notification::new();
        notice
            .appname("meta-orchestrator")
            .summary(&message.title)
            .body(&escaped(&message.body))
            .timeout(Timeout::Default);
        if let Some(before) = shown {
            notice.id(before.id());
        }
        *shown = Some(notice.show().map_err(|error| error.to_string())?);
        Ok(())
    }

    /// Desktops read some markup in a body.
    /// Source: <https://specifications.freedesktop.org/notification-spec/latest/markup.html>.
    fn escaped(text: &str) -> String {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    }
}

/// Shows a message in place of the one before.
#[cfg(feature = "desktop")]
pub(super) async fn show(message: &Message, deadline: Duration) -> Result<(), String> {
    let (done, said) = tokio::sync::oneshot::channel();
    shown::order(shown::Order::Show(message.clone(), done))?;
    match tokio::time::timeout(deadline, said).await {
        Ok(Ok(said)) => said,
        Ok(Err(_)) => Err("a newer notice took its place".into()),
        Err(_) => Err("the session bus does not answer".into()),
    }
}

/// Shows nothing.
#[cfg(not(feature = "desktop"))]
#[expect(clippy::unused_async, reason = "the form of the one that does")]
pub(super) async fn show(_: &Message, _: Duration) -> Result<(), String> {
    Err(WHY_NOT.into())
}

/// Takes back what is shown, where the desktop lets it; waits for nothing.
pub(super) fn close() {
    #[cfg(feature = "desktop")]
    if is_there() {
        let _ = shown::order(shown::Order::Close);
    }
}
