// Dark or light: the system's choice until the reader makes one.
import { svg } from "./dom.js";

const KEY = "moodwire-theme";
const SUN = "M12 4V2m0 20v-2m8-8h2M2 12h2m13.700-5.700 1.400-1.400M4.900 19.100l1.400-1.400m0-11.400L4.900 4.900m14.200 14.200-1.400-1.400M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0Z";
const MOON = "M20 14.500A8 8 0 0 1 9.500 4 8 8 0 1 0 20 14.500Z";

const root = document.documentElement;

function show(button) {
  const dark = root.dataset.theme === "dark";
  const icon = svg("path", { d: dark ? SUN : MOON, fill: "none", stroke: "currentColor",
    "stroke-width": 1.75, "stroke-linecap": "round", "stroke-linejoin": "round" });
  button.replaceChildren(svg("svg", { viewBox: "0 0 24 24", width: 18, height: 18, "aria-hidden": true }, icon));
  button.setAttribute("aria-label", dark ? "Switch to the light theme" : "Switch to the dark theme");
  button.title = button.getAttribute("aria-label");
}

export function setUpTheme(button, onChange) {
  const set = (theme) => {
    root.dataset.theme = theme;
    show(button);
    onChange();
  };
  show(button);
  button.addEventListener("click", () => {
    const theme = root.dataset.theme === "dark" ? "light" : "dark";
    localStorage.setItem(KEY, theme);
    set(theme);
  });
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", (event) => {
    if (!localStorage.getItem(KEY)) set(event.matches ? "light" : "dark");
  });
}
