/** Following a run to its end over connections that may drop. The run lives on the server; a stream is only a reader of it. */

import { ApiError, readRun, startRun } from "./api.js";
import { readEvents } from "./sse.js";

const RETRIES = 8;
const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 8000;

/** Starts a run and yields its events; `signal` stops reading, `onDrop` is told each time the connection is lost. */
export const chat = (message, { signal, onDrop }) =>
  follow(() => startRun(message, signal), { runId: null, signal, onDrop });

/** Yields all events of a run that was started before, from its first. */
export const resume = (runId, { signal, onDrop }) =>
  follow(() => readRun(runId, null, signal), { runId, signal, onDrop });

async function* follow(open, { runId, signal, onDrop }) {
  let lastId = null;
  for (let failures = 0; ; failures += 1) {
    try {
      const response = await open();
      for await (const event of readEvents(response.body)) {
        if (event.event === "run") runId = event.data.run_id;
        lastId = event.id ?? lastId;
        failures = 0;
        yield event;
        if (event.event === "end") return;
      }
    } catch (error) {
      if (signal.aborted || isFinal(error)) throw error;
    }
    if (!runId || failures >= RETRIES) throw connectionLost();
    onDrop();
    await pause(Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS), signal);
    open = () => readRun(runId, lastId, signal);
  }
}

/** Unreachable, overloaded and restarting servers (0, 429, 5xx) are worth another try; other answers are not. */
const isFinal = (error) =>
  error instanceof ApiError && error.status !== 0 && error.status !== 429 && error.status < 500;

const connectionLost = () =>
  new ApiError(0, {
    code: "connection_lost",
    message: "The connection to the server was lost and could not be restored.",
  });

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
