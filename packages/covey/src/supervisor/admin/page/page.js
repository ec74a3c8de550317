// The status page: asks for the processes once a second. Every text goes in through textContent, never as HTML.

/** @typedef {import('../../process-status.ts').ProcessStatus} ProcessStatus */

const refreshMs = 1000
const tokenBox = /** @type {HTMLInputElement} */ (element('token'))

element('login').addEventListener('submit', async (event) => {
  event.preventDefault()
  const answer = await post('/api/login', { token: tokenBox.value.trim() })
  tokenBox.value = ''
  if (answer === undefined) return showText('login-error', 'The supervisor does not answer.')
  if (answer.ok) return refresh()
  showText('login-error', (await answer.json()).detail)
})

element('logout').addEventListener('click', async () => {
  await post('/api/logout')
  await refresh()
})

element('stop').addEventListener('click', async () => {
  if (!window.confirm('Stop all processes of this fleet?')) return
  await post('/api/stop')
  await refresh()
})

// While the login form is shown there is nothing to ask for.
for (;;) {
  if (element('login').hidden) await refresh()
  await new Promise((resolve) => setTimeout(resolve, refreshMs))
}

async function refresh() {
  const answer = await fetch('/api/processes').catch(() => undefined)
  showText('notice', answer === undefined ? 'The supervisor does not answer; was it stopped?' : '')
  if (answer === undefined) return
  const loggedIn = answer.ok
  element('login').hidden = loggedIn
  element('status').hidden = !loggedIn
  element('actions').hidden = !loggedIn
  if (!loggedIn) return
  showText('login-error', '')
  const { fleet, processes } = await answer.json()
  element('fleet').textContent = fleet
  element('rows').replaceChildren(...processes.map(row))
}

/** @param {ProcessStatus} process */
function row(process) {
  const { cpuPercent, memoryBytes, uptimeMs } = process
  const line = document.createElement('tr')
  line.append(
    cell(process.name),
    stateCell(process),
    cell(process.pid ?? '–', 'number'),
    cell(process.restarts, 'number'),
    cell(uptimeMs === null ? '–' : duration(uptimeMs), 'number'),
    cell(cpuPercent === null ? '–' : `${cpuPercent.toFixed(1)} %`, 'number'),
    cell(memoryBytes === null ? '–' : `${(memoryBytes / 1048576).toFixed(0)} MiB`, 'number'),
  )
  return line
}

/**
 * @param {string | number} text
 * @param {string[]} classes
 */
function cell(text, ...classes) {
  const made = document.createElement('td')
  made.textContent = String(text)
  made.classList.add(...classes)
  return made
}

/**
 * The state and, below it, why the process could not start the last time.
 * @param {ProcessStatus} process
 */
function stateCell(process) {
  const made = cell(stateText(process), 'state', `state-${process.state}`)
  if (process.reason === null) return made
  const reason = document.createElement('div')
  reason.textContent = process.reason
  reason.classList.add('reason')
  made.append(reason)
  return made
}

/** @param {ProcessStatus} process */
function stateText({ state, retryMs }) {
  return retryMs === null ? state : `starts again in ${duration(retryMs)}`
}

/** @param {number} ms */
function duration(ms) {
  const seconds = Math.floor(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`
  const hours = Math.floor(minutes / 60)
  return hours < 24
    ? `${hours} h ${minutes % 60} min`
    : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/**
 * @param {string} path
 * @param {object} body
 */
function post(path, body = {}) {
  const headers = { 'content-type': 'application/json' }
  return fetch(path, { method: 'POST', headers, body: JSON.stringify(body) }).catch(() => undefined)
}

/**
 * @param {string} id
 * @param {string} text
 */
function showText(id, text) {
  element(id).textContent = text
  element(id).hidden = text === ''
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
function element(id) {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no element ${id}`)
  return found
}
