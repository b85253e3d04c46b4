// The AI SDK, over Open Responses.
import { createOpenResponses } from "@ai-sdk/open-responses";
import { generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

import { key, picture, refused, report, url } from "./report.mjs";

const make = (apiKey) => createOpenResponses({ name: "serai", url: `${url}/v1/responses`, apiKey });
const ours = make(key);
const getWeather = tool({
  description: "The weather of a city.",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => (city === "Paris" ? "sunny" : "unknown"),
});
const settings = { maxRetries: 0 };

async function failure(model) {
  const error = await refused(() => generateText({ model, prompt: "hello", ...settings }));
  return [error.statusCode, JSON.parse(error.responseBody).error.code];
}

await report({
  async chat() {
    return (await generateText({ model: ours("ops"), prompt: "hello", ...settings })).text;
  },
  async stream() {
    const result = streamText({ model: ours("ops"), prompt: "hello", ...settings });
    let text = "";
    for await (const piece of result.textStream) text += piece;
    return text;
  },
  async tools() {
    const prompt = "the weather in Paris?";
    const more = { tools: { get_weather: getWeather }, stopWhen: stepCountIs(3) };
    return (await generateText({ model: ours("ops"), prompt, ...more, ...settings })).text;
  },
  async image() {
    const content = [
      { type: "text", text: "What is this?" },
      { type: "image", image: picture },
    ];
    return (await generateText({ model: ours("ops"), messages: [{ role: "user", content }], ...settings })).text;
  },
  async errors() {
    return [await failure(make("fake-key-stranger")("ops")), await failure(ours("nobody")), await failure(ours("lost"))];
  },
});
