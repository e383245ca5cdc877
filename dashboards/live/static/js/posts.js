// One post as evidence. Its words are untrusted and only ever become text.
import { el } from "./dom.js";
import { channelName, compact, percent, seconds, signed, time } from "./format.js";
import { linkToLike } from "./route.js";

const MEANING = "α says how much of this reading came from the text and how much from the image; both add up to 100 %.";

/** A link to the post, if it is one that a browser may safely follow. */
function permalink(post) {
  const safe = /^https?:\/\//i.test(post.permalink ?? "");
  return safe
    ? el("a", { href: post.permalink, target: "_blank", rel: "noopener noreferrer" }, channelName(post.channel))
    : channelName(post.channel);
}

function image(post) {
  const source = `/media/${post.thumbnail}.jpg`;
  return el("a", { class: "post-image", href: source, target: "_blank" },
    el("img", { src: source, alt: `Image posted with: ${post.text.slice(0, 80)}`, width: 96, height: 72, loading: "lazy" }));
}

/** How much text and image weighed, as a bar of two parts. */
export function alphaBar(weights) {
  const [text, picture] = [weights.text, weights.image];
  const part = (kind, share) => {
    const node = el("span", { class: `alpha-${kind}`, hidden: share === 0 });
    node.style.flexGrow = share;
    return node;
  };
  const label = `Weight of the text ${percent(text)}, of the image ${percent(picture)}`;
  return el("div", { class: "alpha", role: "img", "aria-label": label, title: MEANING },
    el("span", {}, `text ${percent(text)}`),
    el("span", { class: "alpha-bar" }, part("text", text), part("image", picture)),
    el("span", {}, picture ? `image ${percent(picture)}` : "no image"));
}

/** Shown only where the server can say why; see `data-explains` in main.js. */
function why(post) {
  const query = new URLSearchParams({ channel: post.channel, post_id: post.post_id });
  return el("span", { class: "why" }, " · ",
    el("a", { href: `/explanation?${query}`, target: "_blank", rel: "noopener",
      title: "The words and the regions of the image that moved this reading" }, "why?"));
}

/** Shown only where the server can search; see `data-searches` in main.js. */
const like = (post) => el("span", { class: "like" }, " · ", el("a", { href: linkToLike(post) }, "posts like this one"));

export function postItem(post) {
  return el("li", { class: "post", "data-image": Boolean(post.thumbnail) },
    post.thumbnail ? image(post) : null,
    el("p", { class: "post-text", dir: "auto" }, post.text),
    el("p", { class: "post-meta" }, permalink(post),
      ` · ${time(seconds(post.created_at))} UTC · ${post.emotion} `,
      el("span", { class: post.valence < 0 ? "negative" : "positive" }, signed(post.valence)),
      ` · reach ${compact(post.reach)}`, why(post), like(post)),
    alphaBar(post.weights));
}

export const alphaLegend = () => el("p", { class: "alpha-legend" }, MEANING);
