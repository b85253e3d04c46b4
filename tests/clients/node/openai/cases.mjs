// The official client of OpenAI.
import OpenAI from "openai";

import { key, picture, refused, report, url } from "./report.mjs";

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0, timeout: 60_000 });
const weather = {
  name: "get_weather",
  description: "The weather of a city.",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};
const tools = [{ type: "function", function: weather }];
const user = (content) => ({ role: "user", content });
const ask = (model, content, more = {}) =>
  client.chat.completions.create({ model, messages: [user(content)], ...more });

await report({
  async models() {
    return (await client.models.list()).data.map((model) => model.id);
  },
  async chat() {
    return (await ask("ops", "hello")).choices[0].message.content;
  },
  async stream() {
    let text = "";
    for await (const chunk of await ask("ops", "hello", { stream: true })) {
      text += chunk.choices[0]?.delta?.content ?? "";
    }
    return text;
  },
  async image() {
    const content = [
      { type: "text", text: "What is this?" },
      { type: "image_url", image_url: { url: picture } },
    ];
    return (await ask("ops", content)).choices[0].message.content;
  },
  async tools() {
    const messages = [user("the weather in Paris?")];
    const [asked] = (await client.chat.completions.create({ model: "ops", messages, tools })).choices;
    const [call] = asked.message.tool_calls;
    messages.push(asked.message, { role: "tool", tool_call_id: call.id, content: "sunny" });
    return (await client.chat.completions.create({ model: "ops", messages, tools })).choices[0].message.content;
  },
  async streamed_tools() {
    const messages = [user("the weather in Paris?")];
    const stream = client.chat.completions.stream({ model: "ops", messages, tools });
    const [call] = (await stream.finalChatCompletion()).choices[0].message.tool_calls;
    return [call.function.name, JSON.parse(call.function.arguments)];
  },
  async session() {
    const found = [];
    for (let n = 0; n < 2; n++) {
      const { response } = await client.chat.completions
        .create({ model: "ops", messages: [user("hello")] }, { headers: { "X-Hermes-Session-Id": "trip" } })
        .withResponse();
      found.push(response.headers.get("x-hermes-session-id"));
    }
    return found;
  },
  async errors() {
    const stranger = client.withOptions({ apiKey: "fake-key-stranger" });
    const found = [];
    for (const [who, model] of [[stranger, "ops"], [client, "nobody"], [client, "lab"], [client, "lost"]]) {
      const error = await refused(() => who.chat.completions.create({ model, messages: [user("hello")] }));
      found.push([error.constructor.name, error.status, error.code]);
    }
    return found;
  },
  async error_in_a_stream() {
    const error = await refused(async () => {
      for await (const _ of await ask("lost", "hello", { stream: true }));
    });
    return [error.status, error.code];
  },
  async responses() {
    const first = await client.responses.create({ model: "ops", input: "hello" });
    const second = await client.responses.create({ model: "ops", input: "again", previous_response_id: first.id });
    return [first.output_text, second.previous_response_id === first.id];
  },
  async responses_stream() {
    const events = [];
    for await (const event of await client.responses.create({ model: "ops", input: "hello", stream: true })) {
      events.push(event);
    }
    const deltas = events.filter((event) => event.type === "response.output_text.delta");
    return [deltas.map((event) => event.delta).join(""), events[0].type, events.at(-1).type];
  },
  async responses_tools() {
    const offered = [{ type: "function", strict: false, ...weather }];
    const first = await client.responses.create({ model: "ops", input: "the weather in Paris?", tools: offered });
    const call = first.output.find((item) => item.type === "function_call");
    const input = [{ type: "function_call_output", call_id: call.call_id, output: "sunny" }];
    const more = { previous_response_id: first.id, tools: offered };
    return (await client.responses.create({ model: "ops", input, ...more })).output_text;
  },
  async responses_image() {
    const content = [
      { type: "input_text", text: "What is this?" },
      { type: "input_image", image_url: picture, detail: "auto" },
    ];
    return (await client.responses.create({ model: "ops", input: [user(content)] })).output_text;
  },
});
