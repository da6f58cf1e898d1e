// Browsers whose on-screen keyboard lies over the page instead of shrinking it: the page ends where
// the keyboard begins, so that the box stays in sight.

const seen = window.visualViewport;

function fit() {
  if (!seen) return;
  const { style } = document.documentElement;
  // Enlarged by two fingers it is a glass over the page, and nothing is covered.
  const isCovered = seen.scale < 1.01 && window.innerHeight - seen.height > 1;
  if (!isCovered) {
    style.removeProperty("--seen");
    return;
  }
  style.setProperty("--seen", `${seen.height}px`);
  // They also push the page up to show the field, which now stands high enough by itself.
  window.scrollTo(0, 0);
}

seen?.addEventListener("resize", fit);
seen?.addEventListener("scroll", fit);
