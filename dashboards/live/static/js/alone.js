// A view that takes the place of the brands while the address asks for it.
import { byId } from "./dom.js";
import { linkTo } from "./route.js";

/** Let a link of such a view lead back to the brand. */
export const leadBack = (link, brand) => link.setAttribute("href", brand ? linkTo(brand) : "#");

/** Show `view` or the brands again; the reader's focus goes along. */
export function showAlone(view, shown, before) {
  view.hidden = !shown;
  const { body } = document;
  if (shown) body.dataset.alone = view.id;
  else if (body.dataset.alone === view.id) delete body.dataset.alone;
  for (const link of document.querySelectorAll(".views a")) {
    if (link.dataset.view === body.dataset.alone) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (shown) {
    scrollTo(0, 0);
    view.focus({ preventScroll: true });
  } else if (before && !body.dataset.alone) {
    byId("mood").focus({ preventScroll: true });
  }
}
