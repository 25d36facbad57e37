//! The pictures of the README: how cells become shapes.

use crate::svg::picture;

#[test]
fn the_same_screen_gives_the_same_picture_and_nothing_in_it_is_markup() {
    let dump = "\u{1b}[1;31ma<b>&\"\u{1b}[m 漢字 \u{1b}[7mturned\u{1b}[m\n╭─╮ ▌\u{1b}[2mfaint\u{1b}]8;;http://x\u{7}";
    let svg = picture(dump, 24, 3, "a & b");
    assert_eq!(svg, picture(dump, 24, 3, "a & b"));
    insta::assert_snapshot!(svg);
}
