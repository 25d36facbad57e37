//! The moments at which the supervisor is killed, and the dice that choose among them.

/// Numbers from a seed (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

/// What has just happened when the kill comes, a seeded while later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The model is being asked.
    Asked,
    /// It has answered.
    Answered,
    /// A text is about to be typed.
    Intent,
    /// The text stands in the prompt.
    Text,
    /// Enter was pressed and the text is gone.
    Receipt,
    /// The person is asked something.
    Question,
    /// The person's own text is on its way.
    Reply,
    /// A command that changes the roster was handed over, and is not answered.
    Roster,
    /// Nothing in particular.
    Any,
}

impl Phase {
    /// The moments of a run, in rounds of this order: every third falls between a text and its Enter.
    pub const ROUND: [Self; 12] = [
        Self::Text,
        Self::Intent,
        Self::Roster,
        Self::Text,
        Self::Question,
        Self::Receipt,
        Self::Text,
        Self::Reply,
        Self::Asked,
        Self::Text,
        Self::Answered,
        Self::Any,
    ];

    /// The step of the decision log that begins it.
    pub fn step(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Answered => "answered",
            Self::Receipt => "receipt",
            _ => "intent",
        }
    }

    /// How much later the kill comes at most, in milliseconds.
    pub fn latest(self) -> u64 {
        match self {
            Self::Asked => 250,
            Self::Answered | Self::Roster => 60,
            Self::Receipt => 400,
            Self::Text => 300,
            // the two looks before the first key take most of it
            Self::Intent => 2_000,
            Self::Question => 100,
            Self::Reply | Self::Any => 3_000,
        }
    }
}

#[test]
fn dice_are_the_same_for_the_same_seed() {
    let throws = |seed| {
        let mut dice = Dice(seed);
        [dice.below(100), dice.below(100), dice.below(100)]
    };
    assert_eq!(throws(7), throws(7));
    assert_ne!(throws(7), throws(8));
}
