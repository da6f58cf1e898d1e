// Browsers whose on-screen keyboard covers the page instead of shrinking it: the page ends where
// the keyboard begins, so that the composer stays in sight.

const viewport = window.visualViewport;
// A window that is as low as this scrolls as a whole, by the browser's own means.
const low = matchMedia("(max-height: 340px)");

function fitPage() {
  if (!viewport) return;
  const { style } = document.documentElement;
  // While the page is magnified, nothing is covered.
  const isLower = window.innerHeight - viewport.height > 1;
  const isCovered = viewport.scale < 1.01 && isLower && !low.matches;
  if (!isCovered) {
    style.removeProperty("--seen");
    return;
  }
  style.setProperty("--seen", `${viewport.height}px`);
  // They also scroll the page up to show the field, which is in sight already.
  window.scrollTo(0, 0);
}

viewport?.addEventListener("resize", fitPage);
viewport?.addEventListener("scroll", fitPage);
