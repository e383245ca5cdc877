// A snapshot, then every change after it; whatever breaks, begin again where it broke.
const SILENCE_MILLISECONDS = 25_000; // two heartbeats and a half
const RETRY_MILLISECONDS = 1_500;

export class Connection {
  constructor(store) {
    this.store = store;
  }

  async open() {
    try {
      const answer = await fetch("/api/state");
      if (!answer.ok) throw new Error(`state: ${answer.status}`);
      this.store.apply(await answer.json());
      this.#listen();
    } catch {
      this.#say("reconnecting");
      setTimeout(() => this.open(), RETRY_MILLISECONDS);
    }
  }

  #listen() {
    this.source?.close();
    this.source = new EventSource(`/events?after=${encodeURIComponent(this.store.id)}`);
    this.source.addEventListener("open", () => this.#alive());
    this.source.addEventListener("heartbeat", () => this.#alive());
    this.source.addEventListener("update", (event) => {
      this.store.apply(JSON.parse(event.data));
      this.#alive();
    });
    this.source.addEventListener("error", () => this.#lost());
  }

  #alive() {
    this.#say("live");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#lost(true), SILENCE_MILLISECONDS);
  }

  /** The browser retries a broken stream by itself; a refused or silent one is ours to reopen. */
  #lost(silent = false) {
    this.#say("reconnecting");
    if (!silent && this.source.readyState !== EventSource.CLOSED) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#listen(), RETRY_MILLISECONDS);
  }

  #say(connection) {
    this.store.point("connection", connection);
  }
}
