//! What is going to happen, drawn from a seed: the texts, and who interferes when.

use std::time::Duration;

/// Numbers from a seed (`SplitMix64`).
pub struct Dice(u64);

impl Dice {
    /// Those of a seed and of what they are for.
    pub fn new(seed: u64, of: &str) -> Self {
        let of = of.bytes().fold(seed, |all, byte| {
            all.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
        });
        let mut dice = Self(of);
        dice.draw();
        dice
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.draw() % bound.max(1)
    }

    /// One of these.
    pub fn of<T: Copy>(&mut self, all: &[T]) -> T {
        let index = usize::try_from(self.below(all.len() as u64)).unwrap();
        all[index]
    }

    /// Up to so many milliseconds.
    pub fn millis(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.below(most + 1))
    }

    fn shuffle<T>(&mut self, all: &mut [T]) {
        for last in (1..all.len()).rev() {
            let other = usize::try_from(self.below(last as u64 + 1)).unwrap();
            all.swap(last, other);
        }
    }
}

/// Makes the texts of one agent's run.
pub struct Texts {
    dice: Dice,
    made: u64,
}

impl Texts {
    /// The texts of a seed.
    pub fn new(seed: u64, of: &str) -> Self {
        Self {
            dice: Dice::new(seed, of),
            made: 0,
        }
    }

    /// A word that stands in no other text, and the beginning of one that a shell would make files of.
    fn mark(&mut self) -> String {
        self.made += 1;
        format!("HARM-{:03}-{:06x}", self.made, self.dice.below(1 << 24))
    }

    /// A nudge as the model would give one: short, long, with other scripts in it; some are worked at for a
    /// while.
    pub fn nudge(&mut self) -> String {
        let mark = self.mark();
        let rest = match self.dice.below(6) {
            0 => "in src/lib.rs, now.".to_owned(),
            1 => "and go on with the next part of the plan, please.".to_owned(),
            2 => "then read the parser first («größe», 日本語), write down what it does with an empty file, \
                and only then change it; what you find on the way goes into a list in the notes, with the \
                line and a word on how bad it is."
                .to_owned(),
            3 => "- it's the \"last\" part: do $HOME/notes & the rest; all of it (really)!".to_owned(),
            4 => format!("while you go on. SLOW {}", 1 + self.dice.below(3)),
            _ => "and run the tests once more after that, the slow ones too.".to_owned(),
        };
        format!("touch {mark} {rest}")
    }

    /// A nudge after which the agent asks whether it may run a command, some time later.
    pub fn asks(&mut self) -> String {
        let mark = self.mark();
        let most = self.dice.of(&[60, 900]);
        let after = self.dice.below(most);
        format!("touch {mark} and do that. AFTER {after} TOOL touch APPROVED-{mark}")
    }

    /// A person's own text.
    pub fn draft(&mut self) -> String {
        let words = [
            "please wait with that",
            "no not yet",
            "what about the tests",
            "hold on",
        ];
        let number = self.dice.below(1 << 16);
        format!("{} person{number:04x}", self.dice.of(&words))
    }

    /// A person's text after which the agent falls silent for long and then asks whether it may run a command.
    pub fn hangs(&mut self) -> String {
        let mark = self.mark();
        format!("look around HANG TOOL touch APPROVED-{mark}")
    }
}

/// Who interferes, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The nudge itself makes the agent open a dialog.
    Dialog,
    /// The agent opens a dialog by itself, long after a person's text.
    LateDialog,
    /// SIGKILL.
    Kill,
    /// SIGTSTP.
    Suspend,
    /// SIGTERM.
    Exit,
    /// A person types a few letters, one by one.
    Letters,
    /// A person's text comes all at once.
    Draft,
    /// A person's text and Enter.
    Sent,
    /// A person presses Ctrl-C.
    CtrlC,
}

impl Trouble {
    /// Whether it breaks off what the agent does, also before its first request.
    pub const fn breaks_off(self) -> bool {
        matches!(self, Self::Kill | Self::Suspend | Self::Exit | Self::CtrlC)
    }
}

/// From which step of the transaction on the moment counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// The intent on record: before the permit.
    Intent,
    /// The permit.
    Permit,
    /// The text is typed.
    Placed,
    /// Enter.
    Enter,
}

/// One round.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    /// What happens.
    pub trouble: Trouble,
    /// Where the moment is counted from.
    pub from: From,
    /// How long after that.
    pub after: Duration,
}

const SHARES: [(Trouble, u64); 9] = [
    (Trouble::Dialog, 5),
    (Trouble::LateDialog, 3),
    (Trouble::Kill, 5),
    (Trouble::Suspend, 4),
    (Trouble::Exit, 4),
    (Trouble::Letters, 3),
    (Trouble::Draft, 2),
    (Trouble::Sent, 2),
    (Trouble::CtrlC, 2),
];

/// The rounds of a seed.
pub fn rounds(seed: u64, of: &str, count: u64) -> Vec<Round> {
    let mut dice = Dice::new(seed, of);
    let all = SHARES
        .iter()
        .flat_map(|&(trouble, share)| (0..share).map(move |_| trouble));
    let mut troubles: Vec<Trouble> = all.collect();
    dice.shuffle(&mut troubles);
    let endless = troubles.iter().copied().cycle();
    let count = usize::try_from(count).unwrap();
    let rounds = endless.take(count).map(|trouble| {
        let (from, most) = dice.of(&[
            (From::Intent, 1_400),
            (From::Permit, 250),
            (From::Placed, 150),
            (From::Placed, 600),
            (From::Enter, 250),
        ]);
        let after = dice.millis(most);
        Round {
            trouble,
            from,
            after,
        }
    });
    rounds.collect()
}
