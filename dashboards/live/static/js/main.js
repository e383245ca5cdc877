// Puts the parts together: one store, one connection, and views that redraw what changed.
import { Alerts } from "./alerts.js";
import { Announcer } from "./announcer.js";
import { Brands } from "./brands.js";
import { Board } from "./charts/board.js";
import { CommandBar } from "./command_bar.js";
import { Connection } from "./connection.js";
import { Hero } from "./hero.js";
import { Incident } from "./incident.js";
import { ModelCard } from "./model_card.js";
import { Pipeline } from "./pipeline.js";
import { Quality } from "./quality.js";
import { Search } from "./search.js";
import { Slices } from "./slices.js";
import { Status } from "./status.js";
import { Store } from "./store.js";
import { Table } from "./table.js";
import { setUpTheme } from "./theme.js";
import { Topics } from "./topics.js";
import { Voices } from "./voices.js";
import { byId } from "./dom.js";

const store = new Store();
const views = [Status, Brands, Hero, Board, Alerts, Topics, Slices, Voices, Pipeline, Table, Announcer, Incident, Search, Quality, ModelCard]
  .map((View) => new View(store));
const due = new Set();

function draw() {
  const topics = new Set(due);
  due.clear();
  for (const view of views) view.render(topics);
  document.body.toggleAttribute("data-loading", store.connection === "connecting");
  document.body.toggleAttribute("data-explains", store.explains);
  document.body.toggleAttribute("data-searches", store.searches);
}

store.addEventListener("change", (event) => {
  if (due.size === 0) requestAnimationFrame(draw);
  for (const topic of event.detail) due.add(topic);
});

addEventListener("hashchange", () => store.turnToAddress());
setUpTheme(byId("theme"), () => store.changed("theme"));
new CommandBar(store);
store.changed("windows", "alerts", "run", "view", "incident", "search", "quality", "model");
new Connection(store).open();
