// Browsers whose on-screen keyboard covers the page instead of shrinking it: the page ends where
// the keyboard begins, so that the composer stays in sight.

const viewport = window.visualViewport;

function fitPage() {
  if (!viewport) return;
  const { style } = document.documentElement;
  // While the page is magnified, nothing is covered.
  const isCovered = viewport.scale < 1.01 && window.innerHeight - viewport.height > 1;
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
