// Folded activity at the end of a history: what unfolds there does not hide behind the composer.
import { isAtBottom, scrollToBottom } from "../live/scroll-anchor.js";
import { closestTarget } from "../shared/dom.js";
import { openLog } from "../shared/page-elements.js";

document.addEventListener("click", (event) => {
  const group = closestTarget(event, ".activity summary")?.closest(".activity");
  const log = openLog();
  if (!group || !log || !isAtBottom(log)) return;
  // It unfolds after this, and before it is drawn.
  requestAnimationFrame(() => {
    const hidden = group.getBoundingClientRect().bottom - log.getBoundingClientRect().bottom;
    if (hidden > 0) scrollToBottom(log);
  });
});
