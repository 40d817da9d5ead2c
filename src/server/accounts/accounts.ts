import type { AccountDeps, Accounts } from "./account-types.ts";
import { authenticate } from "./authenticate.ts";
import { login } from "./login.ts";
import { logout } from "./logout.ts";
import { refresh } from "./refresh.ts";
import { register } from "./register.ts";
import { removeDevice } from "./remove-device.ts";

export function createAccounts(deps: AccountDeps): Accounts {
  return {
    register: (registration) => register(deps, registration),
    login: (attempt) => login(deps, attempt),
    refresh: (refreshToken) => refresh(deps, refreshToken),
    logout: (holder, scope) => logout(deps, holder, scope),
    devices: (userId) => deps.sessions.devices(userId),
    removeDevice: (userId, device) => removeDevice(deps, userId, device),
    authenticate: (accessToken) => authenticate(deps, accessToken),
  };
}
