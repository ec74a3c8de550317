import assert from 'node:assert/strict'
import { test } from 'node:test'
import { announcedAddress, type Interfaces } from './announced-address.ts'

function entry(address: string, internal = false) {
  const family = address.includes(':') ? 'IPv6' : 'IPv4'
  return { address, family, internal, netmask: '', mac: '', cidr: null, scopeid: 0 }
}

const machine = {
  lo: [entry('127.0.0.1', true), entry('::1', true)],
  eth0: [entry('fe80::1'), entry('2001:db8::7'), entry('10.0.0.7')],
  eth1: [entry('192.168.1.7')],
} as Interfaces

test('an address that can be called is told as it is', () => {
  for (const address of ['tcp://127.0.0.1:4100', 'tls://10.0.0.7:1', 'tcp://[::1]:9', 'unix:/a']) {
    assert.equal(announcedAddress(address, undefined, machine), address)
  }
})

test('all addresses of the machine become the first that others reach', () => {
  assert.equal(announcedAddress('tls://0.0.0.0:4100', undefined, machine), 'tls://10.0.0.7:4100')
  assert.equal(announcedAddress('tcp://[::]:4100', undefined, machine), 'tcp://10.0.0.7:4100')
  const six = { eth0: machine.eth0!.slice(0, 2) } as Interfaces
  assert.equal(announcedAddress('tcp://[::]:1', undefined, six), 'tcp://[2001:db8::7]:1')
  const alone = { lo: machine.lo } as Interfaces
  assert.equal(announcedAddress('tcp://0.0.0.0:1', undefined, alone), 'tcp://127.0.0.1:1')
})

test('what somebody said wins', () => {
  assert.equal(
    announcedAddress('tcp://0.0.0.0:1', 'users.example', machine),
    'tcp://users.example:1',
  )
  assert.equal(
    announcedAddress('tcp://127.0.0.1:1', '2001:db8::9', machine),
    'tcp://[2001:db8::9]:1',
  )
})
