// Changes elements into newer ones of their kind, so that focus and selection survive.

/** Attributes that the page itself sets: the server does not know of them. */
const KEPT_ATTRIBUTES = ["aria-current", "data-htmx-powered", "disabled", "open", "style"];
/** An attribute that the page sets to something else than the server does: a menu is open. */
const OWN_ATTRIBUTE = "aria-expanded";

/**
 * Makes an element equal to a newer one of the same kind, touching only what differs. A long text
 * that the agent unfolded stays unfolded.
 * @param {Element} old
 * @param {Element} fresh
 */
export function morph(old, fresh) {
  if (old.classList.contains("is-whole")) return;
  morphAttributes(old, fresh);
  const before = [...old.childNodes];
  const after = [...fresh.childNodes];
  const isAlike =
    before.length === after.length &&
    before.every((node, i) => node.nodeName === after[i]?.nodeName);
  if (!isAlike) {
    replaceChildren(old, after);
    return;
  }
  before.forEach((node, i) => {
    const newer = after[i];
    if (node instanceof Element && newer instanceof Element) morph(node, newer);
    else if (newer && node.nodeValue !== newer.nodeValue) node.nodeValue = newer.nodeValue;
  });
}

/**
 * @param {Element} old
 * @param {Element} fresh
 */
function morphAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !KEPT_ATTRIBUTES.includes(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    const isOwn = name === OWN_ATTRIBUTE && old.hasAttribute(name);
    if (!isOwn && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

/**
 * Replaces children by others, but keeps and morphs each that has a twin among them. Those that
 * keep their order never leave the page, so that a menu among them stays open. The focus stays
 * inside.
 * @param {Element} old
 * @param {Node[]} children
 */
function replaceChildren(old, children) {
  const focused = document.activeElement;
  const hadFocus = focused !== old && old.contains(focused);
  const className = focused?.className ?? "";
  const free = new Set(old.children);
  const kept = children.map((child) => {
    const twin =
      child instanceof Element &&
      [...free].find(
        (one) => one.tagName === child.tagName && one.classList[0] === child.classList[0],
      );
    if (!twin) return child;
    free.delete(twin);
    morph(twin, child);
    return twin;
  });
  placeChildren(old, kept);
  if (!hadFocus) return;
  const heir =
    focused?.isConnected && old.contains(focused)
      ? focused
      : (old.querySelector(`[class="${CSS.escape(className)}"]`) ??
        old.closest("[tabindex], .log"));
  if (heir instanceof HTMLElement) heir.focus({ preventScroll: true });
}

/**
 * Leaves exactly these children, in this order, and moves as few of them as it can.
 * @param {Element} parent
 * @param {Node[]} children
 */
function placeChildren(parent, children) {
  const staying = new Set(children);
  for (const child of [...parent.childNodes]) if (!staying.has(child)) child.remove();
  let next = parent.firstChild;
  for (const child of children) {
    if (child === next) next = next.nextSibling;
    else parent.insertBefore(child, next);
  }
}
