export { defineContract } from './contract/define-contract.ts'
export { defineService } from './contract/define-service.ts'
export { serverStream, unary } from './contract/method.ts'
export { CoveyError } from './error/covey-error.ts'
