// What agent-chat-ui asks of a server, in its order, with the official JavaScript client. Prints what it saw as JSON.
import { Client } from "@langchain/langgraph-sdk";

const [apiUrl, question] = process.argv.slice(2);
const client = new Client({ apiUrl, apiKey: "unused" });
const seen = {};

const info = await fetch(`${apiUrl}/info`);
seen.info = info.ok;
const earlier = await client.threads.search({ metadata: { graph_id: "switchyard" }, limit: 100 });
const thread = await client.threads.create();

// Exactly what `useStream` sends for a new message.
const submitted = {
  input: { messages: [{ id: crypto.randomUUID(), type: "human", content: [{ type: "text", text: question }] }] },
  streamMode: ["values"],
  streamSubgraphs: true,
  streamResumable: true,
  onDisconnect: "continue",
  onRunCreated: (run) => (seen.created = run),
};
const events = [];
for await (const part of client.runs.stream(thread.thread_id, "switchyard", submitted)) events.push(part);
seen.events = events.map((part) => part.event);
seen.messages = events.findLast((part) => part.event === "values").data.messages.map((message) => message.type);

// A page that is loaded again joins the run from its beginning.
const again = [];
for await (const part of client.runs.joinStream(thread.thread_id, seen.created.run_id)) again.push(part);
seen.rejoined = JSON.stringify(again.map((part) => part.data)) === JSON.stringify(events.map((part) => part.data));

// "Regenerate": no input, the checkpoint before the answer.
const history = await client.threads.getHistory(thread.thread_id);
const regenerated = client.runs.stream(thread.thread_id, "switchyard", {
  ...submitted,
  input: undefined,
  checkpoint: history[0].parent_checkpoint,
});
let last;
for await (const part of regenerated) if (part.event === "values") last = part.data;
seen.regenerated = last.messages.map((message) => message.type);

const found = await client.threads.search({ metadata: { graph_id: "switchyard" }, limit: 100 });
seen.listed = found.some((row) => row.thread_id === thread.thread_id && row.values.messages.length === 2);
seen.new = !earlier.some((row) => row.thread_id === thread.thread_id);
await client.threads.delete(thread.thread_id);
process.stdout.write(JSON.stringify(seen));
