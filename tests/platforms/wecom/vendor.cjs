// The vendor's own client against our peer: logs in, streams an answer, speaks unasked, uploads, is pressed, leaves.
const { WSClient } = require("@wecom/aibot-node-sdk");

const [wsUrl, botId, secret] = process.argv.slice(2);
const quiet = { debug() {}, info() {}, warn() {}, error: console.error };
const client = new WSClient({ wsUrl, botId, secret, logger: quiet, maxReconnectAttempts: 0 });

client.on("message.text", async (frame) => {
  try {
    await client.replyStream(frame, "stream-1", "a part", false);
    await client.replyStream(frame, "stream-1", "a part of it all", true);
    await client.sendMessage(frame.body.from.userid, { msgtype: "markdown", markdown: { content: "unasked" } });
    await client.replyTemplateCard(frame, {
      card_type: "button_interaction",
      main_title: { title: "May I?" },
      button_list: [{ text: "Yes", style: 1, key: "yes" }],
      task_id: "task-1",
    });
    const uploaded = await client.uploadMedia(Buffer.from("x".repeat(600000)), { type: "file", filename: "x.txt" });
    await client.sendMessage(frame.body.from.userid, { msgtype: "file", file: { media_id: uploaded.media_id } });
    console.log(JSON.stringify({ heard: frame.body.text.content }));
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
});
client.on("message.file", async (frame) => {
  const { buffer } = await client.downloadFile(frame.body.file.url, frame.body.file.aeskey);
  console.log(JSON.stringify({ file: buffer.toString() }));
  await client.sendMessage(frame.body.from.userid, { msgtype: "markdown", markdown: { content: "read" } });
});
client.on("event.template_card_event", (frame) => {
  console.log(JSON.stringify({ pressed: frame.body.event.event_key, card: frame.body.event.task_id }));
});
client.on("event.disconnected_event", () => {
  console.log(JSON.stringify({ disconnected: true }));
  process.exit(0);
});
client.connect();
