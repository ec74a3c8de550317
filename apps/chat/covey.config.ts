import { defineFleet } from 'covey/supervisor'

const port = process.env.GATEWAY__PORT ?? '8090'
const scheme = process.env.GATEWAY__TLS__CERT === undefined ? 'http' : 'https'
const url = `${scheme}://127.0.0.1:${port}`

/** The chat platform. Settings of the processes come from `config.yaml` and the environment; see README.md. */
export default defineFleet({
  name: 'chat',
  processes: {
    user: { entry: 'user/main.ts' },
    message: { entry: 'message/main.ts' },
    presence: { entry: 'presence/main.ts' },
    gateway: {
      entry: 'gateway/main.ts',
      // A page that is served before they answer would begin with an error.
      after: ['user', 'message', 'presence'],
    },
  },
  // The gateway itself says what is wrong with its port.
  banner: URL.canParse(url) ? [{ label: 'Chat', url }] : [],
})
