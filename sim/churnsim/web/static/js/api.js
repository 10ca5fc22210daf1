// Talking to the server: plain JSON, and runs that arrive line by line.

export class Refused extends Error {
  constructor(status, answer) {
    super(answer.message ?? `HTTP ${status}`);
    this.status = status;
    this.key = answer.error ?? "unknown";
    this.problems = answer.problems ?? [];
  }
}

async function answered(response) {
  if (response.ok) return response;
  let answer = {};
  try {
    answer = await response.json();
  } catch {
    answer = {};
  }
  throw new Refused(response.status, answer);
}

export async function get(path, headers = {}) {
  // What is refused is refused in the page's language, whatever the browser's is.
  const language = { "accept-language": document.documentElement.lang.slice(0, 2) };
  return (await answered(await fetch(path, { headers: { ...language, ...headers }, cache: "no-cache" }))).json();
}

function posted(path, body, signal) {
  return fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal });
}

export async function post(path, body, signal) {
  return (await answered(await posted(path, body, signal))).json();
}

export async function postText(path, body) {
  return (await answered(await posted(path, body))).text();
}

export async function postBlob(path, body) {
  return (await answered(await posted(path, body))).blob();
}

// Call `each` with every line of the answer as it arrives.
export async function stream(path, body, each, signal) {
  const response = await answered(await posted(path, body, signal));
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    rest += decoder.decode(value ?? new Uint8Array(), { stream: !done });
    const lines = rest.split("\n");
    rest = lines.pop();
    for (const line of lines) if (line) each(JSON.parse(line));
    if (done) return;
  }
}
