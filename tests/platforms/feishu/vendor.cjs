// The vendor's own client against the fake platform: two bots in one process, then every call that the driver makes.
// Usage: node vendor.cjs URL. Prints one JSON line per result.
const lark = require('@larksuiteoapi/node-sdk')

const [url] = process.argv.slice(2)
const quiet = { error() {}, warn() {}, info() {}, debug() {}, trace() {} }
const tell = (what, value) => process.stdout.write(JSON.stringify([what, value]) + '\n')
const apps = ['cli_0123456789abcde1', 'cli_0123456789abcde2']
const options = (appId) => ({ appId, appSecret: 'fake-secret', domain: url, logger: quiet })

function listen(appId) {
  const eventDispatcher = new lark.EventDispatcher({ logger: quiet }).register({
    'im.message.receive_v1': async (data) => tell('heard', [appId, data.message.message_id, data.message.content]),
    'card.action.trigger': async (data) => ({ toast: { type: 'info', content: `noted ${data.action.value.value}` } }),
  })
  return new lark.WSClient(options(appId)).start({ eventDispatcher })
}

async function call(name, make) {
  const reply = await make()
  tell(name, reply && reply.code !== undefined ? { code: reply.code, data: reply.data } : reply)
  return reply
}

async function calls(appId) {
  const client = new lark.Client(options(appId))
  const im = client.im.v1
  const text = JSON.stringify({ text: 'hello' })
  const post = JSON.stringify({ zh_cn: { content: [[{ tag: 'md', text: '**hello**' }]] } })
  await call('bot', async () => (await client.request({ method: 'GET', url: '/open-apis/bot/v3/info' })).bot)
  const sent = await call('create', () => im.message.create({
    params: { receive_id_type: 'chat_id' },
    data: { receive_id: 'oc_1', msg_type: 'post', content: post, uuid: 'k1' },
  }))
  await call('again', () => im.message.create({
    params: { receive_id_type: 'chat_id' },
    data: { receive_id: 'oc_1', msg_type: 'post', content: post, uuid: 'k1' },
  }))
  const path = { message_id: sent.data.message_id }
  await call('reply', () => im.message.reply({
    path: { message_id: 'om_known' }, data: { msg_type: 'text', content: text, reply_in_thread: true, uuid: 'k2' },
  }))
  await call('update', () => im.message.update({ path, data: { msg_type: 'post', content: post } }))
  await call('get', () => im.message.get({ path }))
  await call('list', () => im.message.list({
    params: { container_id_type: 'chat', container_id: 'oc_1', sort_type: 'ByCreateTimeDesc', page_size: 1 },
  }))
  const reaction = await call('react', () => im.messageReaction.create({
    path, data: { reaction_type: { emoji_type: 'Typing' } },
  }))
  await call('unreact', () => im.messageReaction.delete({ path: { ...path, reaction_id: reaction.data.reaction_id } }))
  const image = await call('image', () => im.image.create({ data: { image_type: 'message', image: Buffer.from('png') } }))
  const file = await call('file', () => im.file.create({
    data: { file_type: 'stream', file_name: 'a.bin', file: Buffer.from('bytes') },
  }))
  await call('send_image', () => im.message.create({
    params: { receive_id_type: 'chat_id' },
    data: { receive_id: 'oc_1', msg_type: 'image', content: JSON.stringify(image) },
  }))
  const resource = await im.messageResource.get({
    path: { ...path, file_key: file.file_key }, params: { type: 'file' },
  })
  let bytes = ''
  for await (const chunk of resource.getReadableStream()) bytes += chunk
  tell('resource', bytes)
  await call('chat', () => im.chat.get({ path: { chat_id: 'oc_1' } }))
  await call('user', () => client.contact.v3.user.get({ path: { user_id: 'ou_42' }, params: { user_id_type: 'open_id' } }))
  await call('scopes', () => client.application.v6.scope.list({}))
  await cards(client, im)
}

async function cards(client, im) {
  const card = (streaming, content, more = []) => JSON.stringify({
    schema: '2.0',
    config: { streaming_mode: streaming, update_multi: true, summary: { content: 's' } },
    body: { elements: [{ tag: 'markdown', element_id: 'answer', content }, ...more] },
  })
  const kit = client.cardkit.v1
  const made = await call('card', () => kit.card.create({ data: { type: 'card_json', data: card(true, 'On') } }))
  const path = { card_id: made.data.card_id }
  const shown = await call('send_card', () => im.message.create({
    params: { receive_id_type: 'chat_id' },
    data: {
      receive_id: 'oc_1', msg_type: 'interactive', content: JSON.stringify({ type: 'card', data: path }),
    },
  }))
  await call('content', () => kit.cardElement.content({
    path: { ...path, element_id: 'answer' }, data: { content: 'Once', sequence: 1 },
  }))
  await call('settings', () => kit.card.settings({
    path, data: { settings: JSON.stringify({ config: { streaming_mode: false } }), sequence: 2 },
  }))
  await call('full', () => kit.card.update({
    path, data: { card: { type: 'card_json', data: card(false, 'The end') }, sequence: 3 },
  }))
  await call('convert', () => kit.card.idConvert({ data: { message_id: shown.data.message_id } }))
  const button = {
    tag: 'column_set', flex_mode: 'flow',
    columns: [{
      tag: 'column', width: 'auto',
      elements: [{
        tag: 'button', type: 'primary', text: { tag: 'plain_text', content: 'Allow' },
        behaviors: [{ type: 'callback', value: { value: 'yes' } }],
      }],
    }],
  }
  const asked = await call('buttons', () => im.message.create({
    params: { receive_id_type: 'chat_id' },
    data: { receive_id: 'oc_1', msg_type: 'interactive', content: card(false, 'May I?', [button]) },
  }))
  await call('patch', () => im.message.patch({
    path: { message_id: asked.data.message_id }, data: { content: card(false, 'Allowed.', [button]) },
  }))
}

async function main() {
  await Promise.all(apps.map(listen))
  tell('listening', apps)
  for await (const line of require('readline').createInterface({ input: process.stdin })) {
    if (line === 'calls') {
      await calls(apps[0])
      tell('done', null)
    }
  }
  process.exit(0)
}

main().catch((error) => {
  tell('failed', String(error && error.response ? JSON.stringify(error.response.data) : error && error.stack))
  process.exit(1)
})
