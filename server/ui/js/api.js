/** The native HTTP API under /api/v1. Every failure is an `ApiError` with the server's code, message and trace id. */

import { withKey } from "./key.js";

const BASE = "/api/v1";

/** What the server said went wrong. `code` is stable, `message` is for people, `traceId` finds the run in the logs. */
export class ApiError extends Error {
  constructor(status, { code, message, trace_id: traceId }) {
    super(message);
    this.status = status;
    this.code = code;
    this.traceId = traceId ?? null;
  }
}

/** The error in a response's body, whatever answered: the API, a proxy in front of it, or nobody. */
export function errorFrom(status, body) {
  const unreadable = {
    code: `http_${status}`,
    message: status ? `The server answered ${status}.` : "The server cannot be reached.",
  };
  try {
    return new ApiError(status, JSON.parse(body).error ?? unreadable);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return new ApiError(status, unreadable);
  }
}

async function request(path, { method = "GET", json, headers = {}, signal } = {}) {
  const init = { method, signal, headers: { ...headers } };
  if (json !== undefined) {
    init.body = JSON.stringify(json);
    init.headers["Content-Type"] = "application/json";
  }
  const send = (key) => reach(`${BASE}${path}`, { ...init, headers: { ...init.headers, ...key } });
  const response = await withKey(send);
  if (!response.ok) throw errorFrom(response.status, await response.text());
  return response;
}

async function reach(url, init) {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw errorFrom(0, "");
  }
}

const getJson = async (path) => (await request(path)).json();
const part = encodeURIComponent;

export const listThreads = async () => (await getJson("/threads")).threads;
export const getThread = (id) => getJson(`/threads/${part(id)}`);
export const deleteThread = (id) => request(`/threads/${part(id)}`, { method: "DELETE" });

export const listDocuments = async () => (await getJson("/documents")).documents;
export const getDocumentText = (id) => getJson(`/documents/${part(id)}?include=text`);
export const deleteDocument = (id) => request(`/documents/${part(id)}`, { method: "DELETE" });
export const UPLOAD_URL = `${BASE}/documents`;

export const listReviews = () => getJson("/reviews?limit=200");
export const getReview = (runId) => getJson(`/reviews/${part(runId)}`);
export const decideReview = async (runId, decision) =>
  (await request(`/reviews/${part(runId)}`, { method: "POST", json: decision })).json();

export const sendFeedback = (feedback) => request("/feedback", { method: "POST", json: feedback });

export const correctExtraction = async (correction) =>
  (await request("/extract/corrections", { method: "POST", json: correction })).json();

export const startRun = (message, signal) =>
  request("/chat", {
    method: "POST",
    json: { ...message, stream: true },
    headers: { Accept: "text/event-stream" },
    signal,
  });
export const cancelRun = (id) => request(`/runs/${part(id)}/cancel`, { method: "POST" });
export const readRun = (id, lastEventId, signal) =>
  request(`/runs/${part(id)}/events`, {
    headers: { Accept: "text/event-stream", ...(lastEventId && { "Last-Event-ID": lastEventId }) },
    signal,
  });

/** Whether samples are indexed and models loaded. */
export const isReady = async () => (await reach("/readyz", {})).ok;
