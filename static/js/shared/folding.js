// Folds characters, so that texts which people take for the same compare as equal: as
// `threads/folding.py` does.

/** Letters that Unicode does not decompose, each with what people type instead. */
const PLAIN_LETTERS = new Map(
  (
    "ı=i æ=ae œ=oe ø=o ł=l đ=d ð=d þ=th ħ=h ŧ=t ŋ=n ĸ=q ə=e ɛ=e ɔ=o ȷ=j " +
    "ƀ=b ƃ=b ɓ=b ƈ=c ȼ=c ƌ=d ȡ=d ɖ=d ɗ=d ɇ=e ƒ=f ǥ=g ɠ=g ɦ=h ɨ=i ɉ=j ƙ=k ƚ=l ȴ=l ɫ=l " +
    "ƞ=n ȵ=n ɲ=n ɵ=o ƥ=p ɋ=q ɍ=r ɽ=r ȿ=s ƫ=t ƭ=t ȶ=t ʈ=t ʉ=u ʋ=v ƴ=y ɏ=y ƶ=z ȥ=z ɀ=z"
  )
    .split(" ")
    .map((pair) => /** @type {[string, string]} */ (pair.split("="))),
);

/** White space, control characters, and others that draw nothing. */
const BLANK =
  /^[\p{Default_Ignorable_Code_Point}\p{Z}\p{Cc}\u2800\ufff9-\ufffb\u{1d159}]*$/u;

/**
 * Makes texts equal that differ in case alone. The dotless ı stays another letter than i.
 * @param {string} text
 */
export function foldCase(text) {
  return [...text]
    .map((letter) => (letter === "ı" ? letter : letter.toLowerCase().toUpperCase().toLowerCase()))
    .join("");
}

/** @param {string} character */
function foldCharacter(character) {
  const parts = foldCase(character.normalize("NFKD")).normalize("NFKD");
  return [...parts.replace(/[\p{Mn}\p{Me}\p{Default_Ignorable_Code_Point}]/gu, "")]
    .map((letter) => PLAIN_LETTERS.get(letter) ?? letter)
    .join("");
}

/**
 * Folds case, accents, strokes, ligatures and what nobody can see, so that what an agent types finds a name.
 * @param {string} text
 */
export const foldText = (text) => [...text].map(foldCharacter).join("");

/**
 * Returns whether nothing of the text can be seen.
 * @param {string} text
 */
export const isBlank = (text) => BLANK.test(text);
