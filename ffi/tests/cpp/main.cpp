// laps.h and laps.hpp in C++.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "laps.hpp"

#define CHECK(condition)                                                         \
    do {                                                                         \
        if (!(condition)) {                                                      \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                        \
        }                                                                        \
    } while (0)

static_assert(!std::is_copy_constructible<laps::Password>::value, "a password is not copied");
static_assert(!std::is_copy_assignable<laps::Password>::value, "a password is not copied");
static_assert(std::is_nothrow_move_constructible<laps::Password>::value, "a password is moved");
static_assert(!std::is_copy_constructible<laps::Rotation>::value, "a rotation is not copied");
static_assert(!std::is_copy_constructible<laps::Wiped<char>>::value, "an exposed password is not copied");

static void the_header_means_the_same_in_cpp() {
    laps_password *password = nullptr;
    char text[LAPS_PASSWORD_MAX_LEN + 1];
    std::size_t len = 0;
    CHECK(laps_version_number() == LAPS_VERSION_NUMBER);
    CHECK(laps_password_from_utf8(LAPS_TEXT("abc"), &password) == LAPS_STATUS_OK);
    CHECK(laps_password_copy_utf8(password, text, sizeof text, &len) == LAPS_STATUS_OK);
    CHECK(len == 3 && std::strcmp(text, "abc") == 0);
    laps_wipe(text, sizeof text);
    laps_password_free(password);
}

static void objects_move_and_free_themselves() {
    laps::Policy policy = laps::Policy::read("{\"BackupDirectory\":1,\"AdministratorAccountName\":\"Admin\"}");
    CHECK(policy.account_name() == "Admin");
    laps::Recipe recipe = policy.recipe();
    laps::Generator generator;
    laps::Password one = generator.password(recipe), two = generator.password(recipe);
    CHECK(!one.equals(two));
    CHECK(one.size() == 14 && one.expose().size() == 14 && one.expose_utf16().size() == 14);

    laps::Password moved = std::move(one);
    CHECK(!one && moved);
    two = std::move(moved); // frees what it had
    CHECK(!moved && two.size() == 14);
    laps::Password &self = two;
    two = std::move(self);
    CHECK(two.size() == 14);
    laps_password_free(two.release());
    CHECK(!two && two.size() == 0);
    CHECK(laps::Recipe::characters(1, 8).admissible() == "208827064576");
    CHECK(laps::Recipe::passphrase(6, 6).bits_micro() > 0);
}

static void failures_are_thrown_with_their_words() {
    bool thrown = false;
    try {
        laps::Policy::read("{\"BackupDirectory\":1,\"PasswordLength\":7}");
    } catch (const laps::Error &error) {
        thrown = error.status() == LAPS_STATUS_POLICY_REFUSED && std::strstr(error.what(), "8 to 64") != nullptr;
    }
    CHECK(thrown);
    thrown = false;
    try {
        laps::Password().expose();
    } catch (const laps::Error &error) {
        thrown = error.status() == LAPS_STATUS_NULL_ARGUMENT;
    }
    CHECK(thrown);
}

static void documents_become_a_policy_with_its_findings() {
    laps::Evaluation evaluation;
    evaluation.add("{\"BackupDirectory\":1,\"PasswordComplexity\":1,\"PasswordLength\":8}", "weak.json");
    bool warned = false;
    for (const laps::Finding &finding : evaluation.findings()) warned |= finding.level == LAPS_LEVEL_WARNING;
    CHECK(warned);
    laps::Policy policy = evaluation.policy();
    CHECK(policy.value("PasswordLength") == "8" && policy.backup_directory() == 1);
    CHECK(policy.hash() != laps::Policy::defaults().hash());
    CHECK(evaluation.export_csp("add").text().find("<Add>") != std::string::npos);
    CHECK(!evaluation.resets_password());
    laps::Evaluation none;
    CHECK(none.changes_to(evaluation).text().find("PasswordLength") != std::string::npos);
}

static void recipes_generate_and_check() {
    laps::Recipe recipe = laps::Recipe::read("{\"length\":12,\"groups\":[{\"chars\":\"abc\",\"min\":2}]}");
    laps::Generator generator;
    laps::Wiped<char> many = generator.passwords(recipe, 50);
    for (int i = 0; i < 50; i++) CHECK(recipe.violations(many.c_str() + 13 * i, 12).empty());
    laps::Violations broken = recipe.violations("short", 5);
    CHECK(!broken.empty() && !broken.at(0).rule.empty() && broken.at(broken.size()).rule.empty());
    CHECK(!laps::Violations::windows(14, true, "anna", "", "anna", 4).empty());
}

static void an_account_is_chosen() {
    laps::Policy policy = laps::Policy::read("{\"BackupDirectory\":1}");
    laps::Accounts accounts;
    accounts.add("Guest", "S-1-5-21-1-2-3-501", false);
    accounts.add("Verwalter", "S-1-5-21-1-2-3-500", true);
    CHECK(accounts.choose(policy) == 1);
    laps::Generator generator;
    CHECK(!accounts.automatic_name(policy, generator).empty());
}

#ifdef LAPS_FULL
static void a_rotation_goes_its_way() {
    for (const char *file : {"cpp.vault", "cpp.vault-wal", "cpp.vault-shm"}) std::remove(file);
    const std::uint64_t now = 1700000000;
    laps::Generator generator;
    laps::ReaderKey key(generator, LAPS_SUITE_X25519, "help desk");
    laps::Bytes file = key.to_file(nullptr, 0, generator);
    key = laps::ReaderKey::from_file(file.data(), file.size(), nullptr, 0);
    laps::SignerKey authority(generator, "authority");
    laps::Reader first = key.reader();
    laps::Bytes text = authority.sign_readers("", 1, {&first});
    laps::ReaderSet set =
        laps::ReaderSet::verify(text.text(), laps::Signer::parse(authority.signer().text()), "", std::vector<std::uint8_t>());
    laps::Reader reader = set.at(0);
    CHECK(set.size() == 1 && set.version() == 1 && reader.id() == first.id());

    laps::Vault vault = laps::Vault::init("cpp.vault", "", {&reader}, "setup", now);
    laps::Policy policy = laps::Policy::read("{\"BackupDirectory\":1,\"AdministratorAccountName\":\"Admin\"}");
    laps::Recipe recipe = policy.recipe();
    laps::Config config(policy, "pc-17", "Admin");
    laps::Rotation rotation = laps::Rotation::start(config, now);
    laps::Password set_on_account;
    std::string state, last; // every event by name
    for (laps::Wish wish = rotation.poll(); wish.wish != LAPS_WISH_WAIT; wish = rotation.poll()) {
        switch (wish.wish) {
        case LAPS_WISH_SAVE:
            state = rotation.state().text();
            rotation.handle_saved();
            break;
        case LAPS_WISH_CHECK_IN: {
            laps::Bytes message = rotation.check_in(generator);
            laps::Bytes answer = vault.check_in("pc-17", message.data(), message.size(), now);
            rotation.handle_answer(answer.data(), answer.size(), generator, now);
            break;
        }
        case LAPS_WISH_PREPARE: rotation.prepare(generator, recipe, {&reader}, nullptr, now); break;
        case LAPS_WISH_LOOK_UP:
            rotation.handle_account(LAPS_ACCOUNT_PRESENT, nullptr, now);
            rotation.handle_readers({&reader}, now);
            break;
        case LAPS_WISH_READ_STAMP: rotation.handle_stamp(nullptr, now); break;
        case LAPS_WISH_APPLY: {
            laps::Wiped<char> password = laps::Password::expose(rotation.password());
            set_on_account = laps::Password::from_utf8(password.c_str(), password.size());
            rotation.handle_applied(LAPS_APPLIED_SUCCESS, generator, now);
            break;
        }
        case LAPS_WISH_VERIFY: rotation.handle_verified(LAPS_VERIFIED_MATCH, generator, now); break;
        default: CHECK(false);
        }
    }
    for (laps::Event event = rotation.poll_event(); event; event = rotation.poll_event()) last += event.name() + " ";
    CHECK(last.find("committed ") != std::string::npos && rotation.version() > 0 && !rotation.is_due() && rotation.password() == nullptr);
    CHECK(laps::Rotation::resume(config, state, nullptr, now).version() == rotation.version());

    laps::Disclosure disclosure = vault.disclose("pc-17", "anna", "a test", false, 0, now);
    CHECK(disclosure.size() == 1 && disclosure.state(0) == LAPS_CANDIDATE_CURRENT);
    CHECK(key.open(disclosure.record(0)).password.equals(set_on_account));
    CHECK(disclosure.updated(0) == now && disclosure.updated(1) == 0 && disclosure.damaged().size() == 0);
    CHECK(vault.audit_verify(disclosure.head()) >= disclosure.entry());
    CHECK(vault.order_readable(reader.id().data(), 3600, "anna", "a test", now) == 1);
    vault.order_rotation("pc-17", "anna", "a test", now);
    bool managed = false; // by an agent, whose word is better than another directory's
    try {
        vault.adoptable("pc-17", laps::Foreign());
    } catch (const laps::Error &error) {
        managed = error.status() == LAPS_STATUS_ALREADY_EXISTS;
    }
    CHECK(managed);
    CHECK(!disclosure.record(0).is_signed() && disclosure.record(0).suite() == LAPS_SUITE_X25519);

    laps::CheckIns check_ins;
    laps::Rotation other_rotation = laps::Rotation::start(laps::Config(policy, "pc-18", "Admin"), now);
    while (other_rotation.poll().wish == LAPS_WISH_SAVE) other_rotation.handle_saved();
    laps::Bytes message = other_rotation.check_in(generator);
    check_ins.add("pc-18", message.data(), message.size());
    check_ins.add("pc-19", message.data(), message.size()); // in the name of another device
    laps::Rows answers = vault.check_in_many(check_ins, now);
    CHECK(check_ins.size() == 2 && answers.size() == 2 && !answers.bytes(0).empty() && answers.bytes(1).empty());
    CHECK(answers.number(0, LAPS_FIELD_STATUS) == LAPS_STATUS_OK && answers.text(0, LAPS_FIELD_WHY).empty());
    CHECK(answers.number(1, LAPS_FIELD_STATUS) == LAPS_STATUS_MESSAGE_WRONG_DEVICE && !answers.text(1, LAPS_FIELD_WHY).empty());
    vault.purge("pc-18", true, "anna", "a test", now);

    laps::Metadata metadata = vault.metadata();
    laps::Rows rows = metadata.list("", 10);
    CHECK(rows.size() == 1 && rows.text(0, LAPS_FIELD_DEVICE) == "pc-17" && rows.next().empty());
    CHECK(metadata.show("pc-17").number(0, LAPS_FIELD_ORDERED) == 1 && metadata.history("pc-17").size() == 1);
    CHECK(metadata.due(now, "", 10).size() == 1 && metadata.stats(now).devices == 1);
    CHECK(vault.order_all("anna", "a test", now) == 0 && vault.order_overdue("anna", "a test", now) == 0);
    CHECK(vault.order_revealed_by("anna", 0, "anna", "a test", now) == 0); // ordered already
    vault.record_outcome(disclosure.entry(), true, "anna", "a test", now);
    laps::ReaderKey other(generator, LAPS_SUITE_X25519, "other");
    vault.add_reader(other.reader(), "anna", "a test", now);
    CHECK(vault.readers().size() == 2);
    laps::Rows page = vault.resealing("", 10, "anna", "a test", now);
    CHECK(page.size() == 1 && page.text(0, LAPS_FIELD_DEVICE) == "pc-17" && page.next().empty());
    // Taken back is what is sealed to exactly the active readers, and nothing that was handed out.
    laps::Reader second = other.reader();
    laps::Record handed_out = laps::Record::parse(page.bytes(0));
    laps::Record resealed_record = key.reseal(handed_out, {&reader, &second}, generator);
    laps::Vault::Resealed resealed = vault.take_resealed({&handed_out, &resealed_record}, "anna", "a test", now);
    CHECK(resealed.replaced == 1 && resealed.failed.size() == 1 && resealed.failed.text(0, LAPS_FIELD_DEVICE) == "pc-17");
    resealed = vault.reseal(key, "anna", "a test", now);
    CHECK(resealed.replaced == 0 && resealed.not_ours == 0 && resealed.failed.size() == 0);
    laps::Rows exported = vault.export_devices("", 10, "anna", "a test", now);
    CHECK(exported.size() == 1 && !exported.bytes(0).empty());
    vault.set_context("a test program");
    vault.retire("pc-17", "anna", "a test", now);
    vault.re_enrol("pc-17", "anna", "a test", now);
    vault.purge("pc-17", true, "anna", "a test", now);
    CHECK(vault.import_devices(exported.bytes(0), "anna", "a test", now) == 1);
    vault.set_history(5, 0, "anna", "a test", now);
    CHECK(vault.history() == std::make_pair(std::uint32_t(5), std::uint32_t(0)));
    laps::Vault tenant = laps::Vault::open("cpp.vault", "tenant");
    tenant.initialise({&reader}, "anna", "a test", now);
    CHECK(tenant.readers().size() == 1 && tenant.metadata().list("", 10).size() == 0);
    laps::Rows trail = vault.audit_entries(0, 1000);
    CHECK(trail.text(trail.size() - 1, LAPS_FIELD_CONTEXT) == "a test program");
    CHECK(vault.audit_verify(vault.audit_head()) == trail.size());
    CHECK(vault.observed().rows.size() == 0);
    CHECK(vault.order_all("anna", "a test", now) == 0);
    laps::Vault::Observed observed = vault.observed();
    CHECK(observed.missed == 0 && observed.rows.size() == 1);
    CHECK(observed.rows.number(0, LAPS_FIELD_KIND) == LAPS_OBSERVED_ORDERED);
}

static void a_vault_answers_and_tells() {
    for (const char *file : {"cpp.answers", "cpp.answers-wal", "cpp.answers-shm"}) std::remove(file);
    const std::uint64_t now = 1700000000;
    laps::Generator generator;
    laps::ReaderKey key(generator, LAPS_SUITE_X25519, "help desk"), second_key(generator, LAPS_SUITE_X25519, "auditor");
    laps::Reader reader = key.reader(), second = second_key.reader();
    laps::Vault vault = laps::Vault::init("cpp.answers", "", {&reader}, "setup", now);

    laps::Foreign foreign;
    foreign.add("Admin", "S-1-5-21-1-2-3-500", now - 10);
    foreign.add("Admin", "", now - 20);
    laps::Adoptable wanted = vault.adoptable("pc-1", foreign);
    CHECK(foreign.size() == 2 && wanted.size() == 2 && wanted.at(0).first == 1 && wanted.at(1).first == 0);
    std::vector<laps::Record> records;
    for (std::size_t i = 0; i < wanted.size(); i++)
        records.push_back(laps::Record::seal(wanted.at(i).second, laps::Password::from_utf8(LAPS_TEXT("horse")), {&reader}, generator));
    CHECK(vault.adopt("pc-1", {&records[0], &records[1]}, now, 0, "anna", "a test", now) == 2);
    CHECK(vault.adoptable("pc-1", foreign).size() == 0);

    laps::Devices devices;
    devices.add("pc-1");
    CHECK(devices.size() == 1 && vault.order_devices(devices, "anna", "a test", now) == 1 && vault.is_ordered("pc-1"));
    CHECK(vault.receipt() == vault.audit_head());
    laps::Vault::AuditReport report = vault.audit_report("");
    CHECK(report.verified && report.first_bad == 0 && report.head == vault.receipt() && report.entries == 3);
    report = vault.audit_report("2-" + std::string(64, '0'));
    CHECK(!report.verified && report.first_bad == 2 && report.entries == 3);

    // What is called back throws past the library, and what it does is seen.
    std::uint64_t told = 0;
    CHECK(vault.audit_report("", [&told](std::uint64_t done, std::uint64_t) { told = done; }).verified && told == 3);
    bool thrown = false;
    try {
        vault.audit_report("", [](std::uint64_t, std::uint64_t) { throw std::runtime_error("mine"); });
    } catch (const std::runtime_error &error) {
        thrown = std::strcmp(error.what(), "mine") == 0;
    }
    CHECK(thrown);
    vault.add_reader(second, "anna", "a test", now);
    thrown = false;
    try {
        vault.reseal(key, "anna", "a test", now, [](std::uint64_t) -> bool { throw std::runtime_error("mine"); });
    } catch (const std::runtime_error &error) {
        thrown = std::strcmp(error.what(), "mine") == 0;
    }
    CHECK(thrown);
    CHECK(vault.reseal(key, "anna", "a test", now, [](std::uint64_t) { return false; }).replaced == 0);
    CHECK(vault.reseal(key, "anna", "a test", now, [](std::uint64_t count) { return count == 2; }).replaced == 2);
    CHECK(vault.reseal(key, "anna", "a test", now, laps::Step()).replaced == 0);
    laps::Rows exported = vault.export_devices("", 10, "anna", "a test", now);
    vault.purge("pc-1", true, "anna", "a test", now);
    thrown = false;
    try {
        vault.import_devices(exported.bytes(0), "anna", "a test", now,
                             [](std::uint64_t, std::uint64_t) { throw std::runtime_error("mine"); });
    } catch (const std::runtime_error &) {
        thrown = true;
    }
    CHECK(thrown && vault.metadata().list("", 10).size() == 1); // taken in all the same
    vault.purge("pc-1", true, "anna", "a test", now);
    CHECK(vault.import_devices(exported.bytes(0), "anna", "a test", now, laps::Progress()) == 1);
    thrown = false;
    try {
        laps::Vault::migrate_report("cpp.answers", false, "anna", "a test", now);
    } catch (const laps::Error &error) {
        thrown = error.status() == LAPS_STATUS_INVALID_ARGUMENT;
    }
    CHECK(thrown);
    vault.reset();
}

static void a_record_goes_to_its_reader() {
    laps::Generator generator;
    laps::ReaderKey key(generator, LAPS_SUITE_X25519, "help desk");
    laps::Reader reader = laps::Reader::parse(key.reader().text());
    laps::Password password = laps::Password::from_utf8(LAPS_TEXT("correct horse"));
    laps::Record record =
        laps::Record::seal(laps::Header(generator, "pc-17", "Admin"), password, {&reader}, generator);
    const laps::Opened opened = key.open(laps::Record::parse(record.bytes()));
    CHECK(opened.password.equals(password) && record.is_proven_by(opened.proof));
}
#endif

static void an_agent_calls_what_it_is_given_and_lets_nothing_through() {
    int exchanges = 0, told = 0, found = 0;
    bool has_events = true, lost = false;
    const laps::Reader reader =
        laps::Reader::parse("laps-reader-1 x25519 db0208f198fe94bd8e39761bd1847a0c6d73ad4d5fdd61f5ae734187e5f4b97a "
                            "VGq2/gUzZm9Ct/mrkzw2geXPvKLBSKW+2zfJM/HJhDQ= helpdesk");
    laps::Agent agent = [&] {
        laps::AgentOptions options("pc-17", "cpp.state");
        options.add_policy("{\"BackupDirectory\":1,\"AdministratorAccountName\":\"Admin\"}", "a test");
        options.set_readers({&reader});
        options.set_timeouts(0, 5, 0);
        laps::AccountCalls store;
        store.find = [&](const std::string &name, laps::Accounts &accounts) -> std::uint32_t {
            found++;
            if (lost) throw std::runtime_error("mine");
            accounts.add(name, "", true);
            return LAPS_ACCOUNT_PRESENT;
        };
        store.set = [](const std::string &, const laps_password *) -> std::uint32_t { throw std::runtime_error("mine"); };
        options.set_store(store);
        options.set_channel([&](const std::uint8_t *check_in, std::size_t length) -> laps::Bytes {
            CHECK(check_in != nullptr && length > 0);
            if (++exchanges % 2 != 0) throw std::runtime_error("mine");
            return laps::Bytes::copy("no answer");
        });
        options.set_on_event([&](const laps::Event &event) {
            told++;
            has_events = has_events && event.json().find("\"device\":\"pc-17\"") != std::string::npos && !event.name().empty();
            throw std::runtime_error("mine");
        });
        laps::Agent made(options);
        return laps::Agent(std::move(made)); // the functions outlive the options
    }();
    CHECK(agent.run_once() == LAPS_OUTCOME_UNREACHABLE);
    CHECK(exchanges > 0 && told > 0 && found > 0 && has_events);
    bool thrown = false;
    lost = true;
    try {
        agent.check_in();
    } catch (const laps::Error &error) {
        thrown = error.status() == LAPS_STATUS_ACCOUNT_FAILED;
    }
    CHECK(thrown);
    agent.stop();
    agent.run(3600);
    CHECK(laps::Agent::status("cpp.state").find("\"device\":\"pc-17\"") != std::string::npos);
    thrown = false;
    try {
        laps::AgentOptions("pc-17", "cpp.state").set_store(std::string("no store"));
    } catch (const laps::Error &error) {
        thrown = error.status() == LAPS_STATUS_INVALID_ARGUMENT && std::strstr(error.what(), "no store") != nullptr;
    }
    CHECK(thrown);
}

static void an_account_store_finds_an_account_and_says_why_it_did_nothing() {
    const laps::Password password = laps::Password::from_utf8("correct horse", 13);
#ifdef _WIN32
    laps::AccountStore store("windows", "cpp.setter");
    // Wine does not list accounts, and what cannot be looked up is not missing.
    const auto seen = store.find("lapstest-nobody");
    CHECK((seen == LAPS_ACCOUNT_MISSING || seen == LAPS_ACCOUNT_UNKNOWN) && !store.reason().empty());
#else
    laps::AccountStore store("command:sh -c 'case $0 in exists|verify|sign-out) ;; set) exit 10 ;; used-since) exit 1 ;; esac'", "cpp.setter");
    std::array<std::uint8_t, 32> stamp;
    CHECK(store.account().empty() && (store.abilities() & LAPS_ABILITY_VERIFY) != 0);
    CHECK(store.find("Admin") == LAPS_ACCOUNT_PRESENT && store.account() == "Admin" && store.sid().empty());
    CHECK(store.set(password.get()) == LAPS_APPLIED_REFUSED && !store.reason().empty());
    CHECK(store.verify(password.get()) == LAPS_VERIFIED_MATCH && store.can_verify(password.get()) && store.reason().empty());
    CHECK(!store.change_stamp(stamp) && store.act(LAPS_ACTION_SIGN_OUT) == LAPS_ACTED_DONE);
    bool thrown = false;
    try {
        store.used_since(1);
    } catch (const laps::Error &error) {
        thrown = error.status() == LAPS_STATUS_ACCOUNT_FAILED;
    }
    CHECK(thrown);
#endif
}

int main() {
    an_account_store_finds_an_account_and_says_why_it_did_nothing();
    the_header_means_the_same_in_cpp();
    objects_move_and_free_themselves();
    failures_are_thrown_with_their_words();
    documents_become_a_policy_with_its_findings();
    recipes_generate_and_check();
    an_account_is_chosen();
    an_agent_calls_what_it_is_given_and_lets_nothing_through();
#ifdef LAPS_FULL
    a_rotation_goes_its_way();
    a_vault_answers_and_tells();
    a_record_goes_to_its_reader();
#endif
    std::puts("laps.h and laps.hpp in C++: everything holds");
}
