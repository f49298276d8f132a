/** The thread on screen: opening it, asking in it, following its run, stopping it. */

import { toast } from "./announcer.js";
import { cancelRun, getThread } from "./api.js";
import { byId, el } from "./dom.js";
import { emptyState } from "./welcome.js";
import { errorNotice } from "./notices.js";
import { chat, resume } from "./runs.js";
import { createTurn } from "./turns.js";

const NEAR_BOTTOM_PX = 120;

export class Conversation {
  /** `onBusy(bool)`: a run of this thread is (no longer) at work; `onThread(id)`: the server named the thread or its title changed. */
  constructor({ onBusy, onThread }) {
    this.threadId = null;
    this.onBusy = onBusy;
    this.onThread = onThread;
    this.scroller = byId("conversation");
    this.turns = byId("turns");
    this.reading = new AbortController();
    this.run = null;
  }

  /** Shows an empty conversation; its thread is made by the first message. */
  start() {
    this.#leave(null);
    this.turns.replaceChildren(emptyState((text) => this.ask(text)));
  }

  /** Shows a stored thread and goes on following a run that is still at work. Returns its title, or null on failure. */
  async open(threadId) {
    this.#leave(threadId);
    const { signal } = this.reading;
    this.turns.replaceChildren(el("p", { class: "loading" }, "Loading the conversation…"));
    try {
      const thread = await getThread(threadId);
      if (!signal.aborted) this.#show(thread.turns);
      return thread.title;
    } catch (error) {
      if (!signal.aborted) this.turns.replaceChildren(errorNotice(error));
      return null;
    }
  }

  /** Sends a message; `attachments`: `[{documentId, title}]`. */
  ask(message, attachments = []) {
    if (this.run) return;
    const body = {
      message,
      thread_id: this.threadId ?? undefined,
      document_ids: attachments.map(({ documentId }) => documentId),
    };
    if (!this.turns.querySelector(".turn")) this.turns.replaceChildren();
    const turn = this.#add({ message, attachments });
    this.#follow(turn, (options) => chat(body, options));
  }

  /** Cancels the run; one that the server has not yet named is cancelled as soon as it is. */
  async stop() {
    if (!this.run) return;
    this.run.stopping = true;
    if (!this.run.id) return;
    try {
      await cancelRun(this.run.id);
    } catch (error) {
      toast(error);
    }
  }

  #leave(threadId) {
    this.reading.abort();
    this.reading = new AbortController();
    this.threadId = threadId;
    this.#work(null);
  }

  #work(run) {
    this.run = run;
    this.onBusy(run !== null);
  }

  async #show(stored) {
    this.turns.replaceChildren();
    const unfinished = [];
    for (const { run_id: runId, message, result, feedback, corrections, documents } of stored) {
      const attachments = documents?.map(({ document_id: documentId, title }) => ({ documentId, title }));
      const turn = this.#add({ message, feedback, corrections, attachments, stored: Boolean(result) });
      if (result) turn.apply({ event: "result", data: result });
      else unfinished.push({ turn, runId });
    }
    this.scroller.scrollTop = this.scroller.scrollHeight;
    for (const { turn, runId } of unfinished) await this.#resume(turn, runId);
  }

  #resume(turn, runId) {
    return this.#follow(turn, (options) => resume(runId, options));
  }

  #add(content) {
    const onRetry = () => {
      turn.node.remove();
      this.ask(content.message, content.attachments);
    };
    const turn = createTurn(content, { onAsk: (text) => this.ask(text), onRetry });
    this.turns.append(turn.node);
    this.scroller.scrollTop = this.scroller.scrollHeight;
    return turn;
  }

  async #follow(turn, source) {
    const { signal } = this.reading;
    const run = { id: null, stopping: false };
    this.#work(run);
    try {
      for await (const event of source({ signal, onDrop: () => turn.say("Connection lost. Reconnecting…") })) {
        if (event.event === "run") this.#named(run, event.data);
        this.#keepInView(turn, () => turn.apply(event), event.event === "result");
      }
    } catch (error) {
      if (signal.aborted) return; // another thread is on screen; the run goes on without this reader
      const reread = run.id ? () => this.#resume(turn, run.id) : undefined; // the run itself may be well
      this.#keepInView(turn, () => turn.fail(error, reread));
    }
    if (signal.aborted) return;
    this.#work(null);
    this.onThread(this.threadId);
  }

  #named(run, { run_id: id, thread_id: threadId }) {
    run.id = id;
    this.threadId = threadId;
    this.onThread(threadId);
    if (run.stopping) this.stop();
  }

  /** Follows the growing answer unless the reader scrolled up; an answer taller than the screen is shown from its top. */
  #keepInView(turn, change, settled = false) {
    const { scroller } = this;
    const following = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_BOTTOM_PX;
    change();
    if (!following) return;
    if (settled && turn.node.offsetHeight > scroller.clientHeight)
      scroller.scrollTop = turn.node.offsetTop - this.turns.offsetTop;
    else scroller.scrollTop = scroller.scrollHeight;
  }
}
