//! What the scripted programs share: a raw terminal, the keys that come from it, and orders from a file.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use rustix::termios::{OptionalActions, OutputModes, tcgetattr, tcgetwinsize, tcsetattr};

/// How often the file of orders is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// What comes to a scripted program.
pub enum Event {
    /// Bytes from its terminal, as they came.
    Keys(Vec<u8>),
    /// An order of the test's.
    Order(String),
    /// The terminal is no more.
    HungUp,
}

/// Reads the terminal raw from now on, and the orders that come to stand in FOLDER's `orders`.
pub fn listen(folder: &Path) -> io::Result<Receiver<Event>> {
    let mut settings = tcgetattr(io::stdin())?;
    settings.make_raw();
    // The terminal still turns a line feed into a new line.
    settings.output_modes |= OutputModes::OPOST;
    tcsetattr(io::stdin(), OptionalActions::Now, &settings)?;
    let (send, receive) = mpsc::channel();
    let (keys, orders) = (send.clone(), folder.join("orders"));
    thread::spawn(move || read_keys(&keys));
    thread::spawn(move || read_orders(&orders, &send));
    Ok(receive)
}

fn read_keys(to: &Sender<Event>) {
    let mut bytes = [0; 4096];
    loop {
        let event = match io::stdin().read(&mut bytes) {
            Ok(0) | Err(_) => Event::HungUp,
            Ok(count) => Event::Keys(bytes[..count].to_vec()),
        };
        let is_last = matches!(event, Event::HungUp);
        if to.send(event).is_err() || is_last {
            return;
        }
    }
}

/// Every whole line that comes to stand in the file is an order; those of an earlier run are not.
fn read_orders(file: &Path, to: &Sender<Event>) {
    let mut done = std::fs::read(file).map_or(0, |text| text.len());
    loop {
        let text = std::fs::read(file).unwrap_or_default();
        let new = text.get(done..).unwrap_or_default();
        let whole = new
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        for line in String::from_utf8_lossy(&new[..whole]).lines() {
            if to.send(Event::Order(line.to_owned())).is_err() {
                return;
            }
        }
        done += whole;
        thread::sleep(LOOK);
    }
}

/// The terminal's columns and rows; 80 by 24 where it does not say.
pub fn size() -> (usize, usize) {
    tcgetwinsize(io::stdin()).map_or((80, 24), |size| (size.ws_col.into(), size.ws_row.into()))
}

/// Writes to the terminal, at once.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Adds to one of FOLDER's files.
pub fn append(folder: &Path, file: &str, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join(file))?;
    file.write_all(bytes)
}
