// A small chat page on the official React hook, with the options that agent-chat-ui gives it.
import { useStream } from "@langchain/langgraph-sdk/react";
import { useState } from "react";
import { createRoot } from "react-dom/client";

const asked = new URLSearchParams(location.search);

function Chat() {
  const [threadId, setThreadId] = useState(asked.get("thread"));
  const thread = useStream({
    apiUrl: asked.get("api"),
    assistantId: "switchyard",
    threadId,
    fetchStateHistory: true,
    reconnectOnMount: true,
    onThreadId: (id) => {
      setThreadId(id);
      asked.set("thread", id);
      history.replaceState(null, "", `?${asked}`);
    },
  });
  const options = {
    // "messages-tuple" is what streams tokens; agent-chat-ui itself takes whole values only.
    streamMode: ["values", "messages-tuple"],
    streamSubgraphs: true,
    streamResumable: true,
  };

  function send(event) {
    event.preventDefault();
    const content = [{ type: "text", text: event.target.elements.message.value }];
    const message = { id: crypto.randomUUID(), type: "human", content };
    const optimisticValues = (before) => ({ ...before, messages: [...(before.messages ?? []), message] });
    thread.submit({ messages: [message] }, { ...options, optimisticValues });
  }

  return (
    <main data-loading={thread.isLoading} data-states={thread.history.length}>
      <ol>
        {thread.messages.map((message) => (
          <li key={message.id} className={message.type}>
            {typeof message.content === "string" ? message.content : message.content.map((part) => part.text).join("")}
          </li>
        ))}
      </ol>
      {thread.interrupt && (
        <section>
          <pre>{JSON.stringify(thread.interrupt.value)}</pre>
          <button onClick={() => thread.submit(undefined, { ...options, command: { resume: { decision: "approve" } } })}>
            Approve
          </button>
        </section>
      )}
      {thread.error != null && <p role="alert">{String(thread.error)}</p>}
      <form onSubmit={send}>
        <input name="message" />
      </form>
    </main>
  );
}

createRoot(document.getElementById("root")).render(<Chat />);
