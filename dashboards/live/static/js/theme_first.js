// Before the first paint: the theme that was chosen, or the system's.
{
  const chosen = localStorage.getItem("moodwire-theme");
  const light = matchMedia("(prefers-color-scheme: light)").matches;
  document.documentElement.dataset.theme = chosen ?? (light ? "light" : "dark");
}
