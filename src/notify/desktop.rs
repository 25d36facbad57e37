//! Notices on the desktop, where the program was built with the feature `desktop` and there is a session bus.
//!
//! The library blocks, and a bus may hang: a thread of its own shows one notice after the other, each in place of
//! the one before, and is never waited for beyond a deadline. Without the feature nothing here does anything. That
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
    use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
    use std::sync::{Mutex, PoisonError};

    use notify_rust::{Notification, NotificationHandle, Timeout};
    use tokio::sync::oneshot;

    use super::Message;

    pub(super) enum Order {
        Show(Message, oneshot::Sender<Result<(), String>>),
        Close,
    }

    static THREAD: Mutex<Option<SyncSender<Order>>> = Mutex::new(None);

    /// Hands an order to the thread, which is started where there is none.
    pub(super) fn order(mut order: Order) -> Result<(), String> {
        let mut thread = THREAD.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..2 {
            let orders = match thread.take() {
                Some(orders) => orders,
                None => start()?,
            };
            match orders.try_send(order) {
                Ok(()) => {
                    *thread = Some(orders);
                    return Ok(());
                }
                Err(TrySendError::Full(_)) => {
                    *thread = Some(orders);
                    return Err("the session bus does not answer".into());
                }
                // it broke down: another one
                Err(TrySendError::Disconnected(back)) => order = back,
            }
        }
        Err("its thread broke down".into())
    }

    fn start() -> Result<SyncSender<Order>, String> {
        let (orders, taken) = sync_channel(2);
        std::thread::Builder::new()
            .name("desktop".into())
            .spawn(move || serve(&taken))
            .map_err(|error| error.to_string())?;
        Ok(orders)
    }

    fn serve(orders: &Receiver<Order>) {
        let mut shown: Option<NotificationHandle> = None;
        while let Ok(order) = orders.recv() {
            match order {
                Order::Close => {
                    if let Some(shown) = shown.take() {
                        shown.close();
                    }
                }
                Order::Show(message, done) => {
                    let mut notice = Notification::new();
                    notice
                        .appname("meta-orchestrator")
                        .summary(&message.title)
                        .body(&escaped(&message.body))
                        .timeout(Timeout::Default);
                    if let Some(before) = &shown {
                        notice.id(before.id());
                    }
                    let showing = notice.show();
                    let said = showing.as_ref().map(|_| ()).map_err(ToString::to_string);
                    shown = showing.ok();
                    let _ = done.send(said);
                }
            }
        }
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
        Ok(Err(_)) => Err("its thread broke down".into()),
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
