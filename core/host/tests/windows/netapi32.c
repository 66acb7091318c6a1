/* For tests under Wine only, whose NetUserSetInfo is not implemented: four accounts in memory behind the functions that the Windows
 * store calls, compiled against mingw's headers, so that structures and return values are theirs and not ours. A password that was set is
 * written to the file netapi32.set, as UTF-16. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <lm.h>

static struct {
    const WCHAR *name;
    DWORD rid, flags, age;
    NET_API_STATUS answer;
} accounts[] = {
    {L"Verwalter", 500, UF_SCRIPT | UF_ACCOUNTDISABLE, 1000, NERR_Success},
    {L"laps-admin", 1001, UF_SCRIPT, 1000, NERR_Success},
    {L"laps-strict", 1002, UF_SCRIPT, 1000, NERR_PasswordTooShort},
    {L"laps-guarded", 1003, UF_SCRIPT, 1000, 0x21CE},
};
enum { COUNT = sizeof accounts / sizeof *accounts };

static int find(LPCWSTR name)
{
    for (int i = 0; i < COUNT; i++)
        if (lstrcmpiW(accounts[i].name, name) == 0)
            return i;
    return -1;
}

__declspec(dllexport) NET_API_STATUS WINAPI NetApiBufferFree(LPVOID buffer)
{
    free(buffer);
    return NERR_Success;
}

/* Two at a time, so that a caller must ask again. */
__declspec(dllexport) NET_API_STATUS WINAPI NetUserEnum(LPCWSTR server, DWORD level, DWORD filter, LPBYTE *out, DWORD max,
                                                        LPDWORD read, LPDWORD total, LPDWORD resume)
{
    if (server || level != 0 || filter != FILTER_NORMAL_ACCOUNT || max != MAX_PREFERRED_LENGTH)
        return ERROR_INVALID_PARAMETER;
    USER_INFO_0 *rows = calloc(2, sizeof *rows);
    DWORD count = 0;
    while (count < 2 && *resume < COUNT)
        rows[count++].usri0_name = (WCHAR *)accounts[(*resume)++].name;
    *out = (LPBYTE)rows;
    *read = count;
    *total = COUNT;
    return *resume < COUNT ? ERROR_MORE_DATA : NERR_Success;
}

__declspec(dllexport) NET_API_STATUS WINAPI NetUserGetInfo(LPCWSTR server, LPCWSTR name, DWORD level, LPBYTE *out)
{
    int i = find(name);
    if (server || level != 4)
        return ERROR_INVALID_LEVEL;
    if (i < 0)
        return NERR_UserNotFound;
    struct { USER_INFO_4 info; SID sid; DWORD more[4]; } *row = calloc(1, sizeof *row);
    SID_IDENTIFIER_AUTHORITY nt = SECURITY_NT_AUTHORITY;
    InitializeSid(&row->sid, &nt, 5);
    DWORD parts[5] = {21, 1, 2, 3, accounts[i].rid};
    for (DWORD part = 0; part < 5; part++)
        *GetSidSubAuthority(&row->sid, part) = parts[part];
    row->info.usri4_name = (WCHAR *)accounts[i].name;
    row->info.usri4_flags = accounts[i].flags;
    row->info.usri4_password_age = accounts[i].age;
    row->info.usri4_last_logon = 1795000000;
    row->info.usri4_user_sid = &row->sid;
    *out = (LPBYTE)row;
    return NERR_Success;
}

__declspec(dllexport) NET_API_STATUS WINAPI NetUserModalsGet(LPCWSTR server, DWORD level, LPBYTE *out)
{
    if (server || level != 0)
        return ERROR_INVALID_LEVEL;
    USER_MODALS_INFO_0 *row = calloc(1, sizeof *row);
    row->usrmod0_min_passwd_len = 24;
    *out = (LPBYTE)row;
    return NERR_Success;
}

__declspec(dllexport) NET_API_STATUS WINAPI NetUserSetInfo(LPCWSTR server, LPCWSTR name, DWORD level, LPBYTE info, LPDWORD bad)
{
    int i = find(name);
    (void)bad;
    if (server || level != 1003)
        return ERROR_INVALID_LEVEL;
    if (i < 0)
        return NERR_UserNotFound;
    if (accounts[i].answer != NERR_Success)
        return accounts[i].answer;
    LPCWSTR password = ((USER_INFO_1003 *)info)->usri1003_password;
    FILE *file = fopen("netapi32.set", "wb");
    if (!file)
        return ERROR_ACCESS_DENIED;
    fwrite(password, sizeof *password, wcslen(password), file);
    fclose(file);
    accounts[i].age = 0;
    return NERR_Success;
}
