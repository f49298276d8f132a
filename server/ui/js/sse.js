/** Server-sent events from a fetch body. EventSource cannot POST, so the wire format is read here. */

/** Yields `{id, event, data}` with `data` parsed as JSON; ends when the stream ends, whole or cut off. */
export async function* readEvents(body) {
  let buffer = "";
  for await (const text of decode(body)) {
    buffer = (buffer + text).replace(/\r\n/g, "\n");
    const blocks = buffer.split("\n\n");
    buffer = blocks.pop();
    for (const block of blocks) {
      const event = parse(block);
      if (event) yield event;
    }
  }
}

async function* decode(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {}); // the stream may already have failed; there is nothing left to release
  }
}

function parse(block) {
  const event = { id: null, event: "message", data: "" };
  const data = [];
  for (const line of block.split("\n")) {
    const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line);
    if (field === "data") data.push(value);
    else if (field === "id" || field === "event") event[field] = value;
  }
  if (!data.length) return null; // a comment, sent to keep the connection open
  return { ...event, data: JSON.parse(data.join("\n")) };
}
