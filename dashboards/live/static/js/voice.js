// Words from the microphone, understood on this device or not at all: the browser may send them nowhere.
const LANGUAGE = navigator.language.startsWith("en") ? navigator.language : "en-US";
const ON_DEVICE = { langs: [LANGUAGE], processLocally: true };
const ALTERNATIVES = 3;
const BOOST = 4; // brands have names that no recogniser expects
const WHY = {
  "no-speech": "Nothing was heard.",
  "not-allowed": "No permission: the browser does not let this page use the microphone.",
  "audio-capture": "No microphone was found.",
  aborted: "",
};
const PACK = "What you say stays on this device. For that the browser needs its language pack: press again to let it get one from its maker, once.";
const UNAVAILABLE = "Not available: this browser cannot understand speech on this device now.";

/** The browser's recogniser and whether it is ready, if it can work on this device; else null. */
async function findRecogniser() {
  const Recogniser = window.SpeechRecognition ?? window.webkitSpeechRecognition;
  if (!Recogniser?.available || !("processLocally" in Recogniser.prototype)) return null;
  const state = await Recogniser.available(ON_DEVICE).catch(() => "unavailable");
  return state === "unavailable" ? null : { Recogniser, isReady: state === "available" };
}

/** Shows `button` where speech can be understood; tells `hear(texts, isFinal)` what may have been said, and `say(text)` how it stands. */
export async function setUpVoice(button, { hear, say, names }) {
  const found = await findRecogniser();
  if (!found) return null;
  button.hidden = false;
  return new Voice({ ...found, button, hear, say, names });
}

class Voice {
  constructor(parts) {
    Object.assign(this, parts);
    this.boosts = "SpeechRecognitionPhrase" in window && "phrases" in this.Recogniser.prototype;
    this.button.addEventListener("click", () => this.#press());
  }

  async #press() {
    if (this.running) this.running.stop();
    else if (this.isReady || (await this.#fetchPack())) this.#start();
  }

  /** Nothing is fetched that was not asked for; browsers have even a pack that is there asked for, once by each site. */
  async #fetchPack() {
    if (!this.isWarned) {
      this.isWarned = true;
      this.say(PACK);
      return false;
    }
    this.say("The browser gets its language pack.");
    this.isReady = await this.Recogniser.install(ON_DEVICE).catch(() => false);
    if (!this.isReady) this.say("Not available: the browser could not get its language pack.");
    return this.isReady && this.button.checkVisibility(); // nobody listens to a bar that was closed
  }

  /** Listen no longer; nothing that comes after is heard. */
  stop() {
    const { running } = this;
    this.#end();
    running?.abort();
  }

  #start() {
    const running = new this.Recogniser();
    Object.assign(running, { lang: LANGUAGE, processLocally: true, interimResults: true, maxAlternatives: ALTERNATIVES });
    if (this.boosts) running.phrases = this.names().map((name) => new SpeechRecognitionPhrase(name, BOOST));
    const on = (type, listener) => running.addEventListener(type, (event) => running === this.running && listener(event));
    on("start", () => this.say("Listening. Say what you want to see."));
    on("result", (event) => this.#result(event.results[event.results.length - 1]));
    on("nomatch", () => this.#end("Not understood. Say it again, or type it."));
    on("error", (event) => this.#error(event.error));
    on("end", () => this.#end(WHY["no-speech"]));
    this.running = running;
    this.button.setAttribute("aria-pressed", "true");
    this.say("Waiting for the microphone.");
    running.start();
  }

  #result(result) {
    const texts = Array.from(result, ({ transcript }) => transcript.trim());
    if (result.isFinal) this.#end("");
    this.hear(texts, result.isFinal);
  }

  #error(error) {
    if (error === "phrases-not-supported" && this.boosts) {
      this.boosts = false;
      return this.#start();
    }
    this.#end(WHY[error] ?? UNAVAILABLE);
  }

  #end(why = null) {
    this.running = null;
    this.button.setAttribute("aria-pressed", "false");
    if (why !== null) this.say(why);
  }
}
