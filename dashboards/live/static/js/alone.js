// A view that takes the place of the brands while the address asks for it.
import { byId } from "./dom.js";

/** Show `view` or the brands again; the reader's focus goes along. */
export function showAlone(view, shown, before) {
  view.hidden = !shown;
  const { body } = document;
  if (shown) body.dataset.alone = view.id;
  else if (body.dataset.alone === view.id) delete body.dataset.alone;
  if (shown) {
    scrollTo(0, 0);
    view.focus({ preventScroll: true });
  } else if (before && !body.dataset.alone) {
    byId("mood").focus({ preventScroll: true });
  }
}
