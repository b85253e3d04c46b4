// The vendor's own clients against our peer: Socket Mode, messages, edits, uploads, presses.
const { SocketModeClient } = require("@slack/socket-mode");
const { WebClient } = require("@slack/web-api");

const [slackApiUrl, botToken, appToken] = process.argv.slice(2);
const quiet = { debug() {}, info() {}, warn() {}, error() {}, setLevel() {}, getLevel() {}, setName() {} };
const web = new WebClient(botToken, { slackApiUrl, logger: quiet, retryConfig: { retries: 0 } });
const socket = new SocketModeClient({ appToken, logger: quiet, clientOptions: { slackApiUrl } });

socket.on("message", async ({ ack, event }) => {
  try {
    await ack();
    const first = await web.chat.postMessage({ channel: event.channel, markdown_text: "a **part**" });
    await web.chat.update({ channel: event.channel, ts: first.ts, markdown_text: "all of it" });
    await web.chat.postMessage({
      channel: event.channel,
      text: "May I?",
      blocks: [
        { type: "markdown", text: "May I?" },
        {
          type: "actions",
          elements: [
            { type: "button", text: { type: "plain_text", text: "Yes" }, action_id: "serai-0", value: "yes" },
          ],
        },
      ],
    });
    const name = (await web.users.info({ user: event.user })).user.profile.display_name;
    console.log(JSON.stringify({ heard: event.text, by: name }));
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
});
socket.on("interactive", async ({ ack, body }) => {
  await ack();
  console.log(JSON.stringify({ pressed: body.actions[0].value }));
  await socket.disconnect();
  process.exit(0);
});
(async () => {
  const me = await web.auth.test();
  console.log(JSON.stringify({ user: me.user_id }));
  await socket.start();
})();
