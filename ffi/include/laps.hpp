// laps.hpp - laps.h for C++11 and later: objects that free themselves, errors that are thrown.
//
// Every class owns one object of the C library and can be moved but not copied, so nothing is freed twice. get() lends the
// pointer for calls that have no wrapper here; release() gives it away. A call that fails throws laps::Error.
#ifndef LAPS_HPP
#define LAPS_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "laps.h"

namespace laps {

/// A call that failed: its status, and what the library found wrong.
class Error : public std::runtime_error {
public:
    Error(laps_status status, const std::string &what) : std::runtime_error(what), status_(status) {}
    laps_status status() const noexcept { return status_; }

private:
    laps_status status_;
};

/// Throws unless the status is LAPS_STATUS_OK.
inline void check(laps_status status) {
    if (status != LAPS_STATUS_OK) throw Error(status, laps_last_error());
}

/// One object of the C library, freed at the end.
template <typename T, void (*Free)(T *)>
class Object {
public:
    explicit Object(T *object = nullptr) noexcept : object_(object) {}
    Object(Object &&other) noexcept : object_(other.release()) {}
    Object &operator=(Object &&other) noexcept {
        if (this != &other) reset(other.release());
        return *this;
    }
    Object(const Object &) = delete;
    Object &operator=(const Object &) = delete;
    ~Object() { reset(); }

    T *get() const noexcept { return object_; }
    T *release() noexcept {
        T *object = object_;
        object_ = nullptr;
        return object;
    }
    void reset(T *object = nullptr) noexcept {
        T *old = object_;
        object_ = object;
        if (old != nullptr) Free(old);
    }
    explicit operator bool() const noexcept { return object_ != nullptr; }

protected:
    T *object_;
};

/// Text in the caller's hands that is wiped at the end. It does not grow, so no copy of it is left behind.
template <typename Unit>
class Wiped {
public:
    explicit Wiped(std::size_t capacity) : units_(new Unit[capacity]()), capacity_(capacity), size_(0) {}
    Wiped(Wiped &&other) noexcept : units_(std::move(other.units_)), capacity_(other.capacity_), size_(other.size_) {
        other.capacity_ = other.size_ = 0;
    }
    Wiped(const Wiped &) = delete;
    Wiped &operator=(const Wiped &) = delete;
    Wiped &operator=(Wiped &&) = delete;
    ~Wiped() {
        if (units_) laps_wipe(units_.get(), capacity_ * sizeof(Unit));
    }
    const Unit *c_str() const noexcept { return units_.get(); }
    Unit *data() noexcept { return units_.get(); }
    std::size_t size() const noexcept { return size_; }
    std::size_t capacity() const noexcept { return capacity_; }
    void resize(std::size_t size) noexcept { size_ = size < capacity_ ? size : capacity_; }

private:
    std::unique_ptr<Unit[]> units_;
    std::size_t capacity_, size_;
};

namespace detail {
/// Calls a function that fills a text buffer.
template <typename Function>
std::string text(Function function) {
    std::size_t length = 0;
    laps_status status = function(nullptr, std::size_t(0), &length);
    if (status != LAPS_STATUS_BUFFER_TOO_SMALL) check(status);
    std::vector<char> buffer(length);
    check(function(buffer.data(), buffer.size(), &length));
    return std::string(buffer.data(), length);
}
} // namespace detail

namespace detail {
inline const std::uint8_t *data(const std::string &text) { return reinterpret_cast<const std::uint8_t *>(text.data()); }
/// A borrowed text that ends before its lender changes.
inline std::string copy(const char *text) { return text == nullptr ? std::string() : std::string(text); }
/// Pointers for an array of objects.
template <typename Wrapper, typename T>
std::vector<const T *> pointers(const std::vector<const Wrapper *> &objects) {
    std::vector<const T *> all;
    for (const Wrapper *object : objects) all.push_back(object == nullptr ? nullptr : object->get());
    return all;
}
} // namespace detail

/// Sixteen bytes that name a record.
typedef std::vector<std::uint8_t> RecordId;

class Bytes : public Object<laps_bytes, laps_bytes_free> {
public:
    using Object::Object;
    /// A copy of bytes of yours, as a channel answers them.
    static Bytes copy(const std::string &bytes) {
        laps_bytes *made = nullptr;
        check(laps_bytes_new(detail::data(bytes), bytes.size(), &made));
        return Bytes(made);
    }
    const std::uint8_t *data() const noexcept { return laps_bytes_data(object_); }
    std::size_t size() const noexcept { return laps_bytes_len(object_); }
    std::string text() const { return std::string(reinterpret_cast<const char *>(data()), size()); }
};

class Password : public Object<laps_password, laps_password_free> {
public:
    using Object::Object;
    static Password from_utf8(const char *text, std::size_t length) {
        laps_password *made = nullptr;
        check(laps_password_from_utf8(text, length, &made));
        return Password(made);
    }
    static Password from_utf16(const std::uint16_t *text, std::size_t length) {
        laps_password *made = nullptr;
        check(laps_password_from_utf16(text, length, &made));
        return Password(made);
    }
    std::size_t size() const noexcept { return laps_password_len(object_); }
    /// A copy that wipes itself.
    Wiped<char> expose() const { return expose(object_); }
    static Wiped<char> expose(const laps_password *password) {
        Wiped<char> copy(LAPS_PASSWORD_MAX_LEN + 1);
        std::size_t length = 0;
        check(laps_password_copy_utf8(password, copy.data(), copy.capacity(), &length));
        copy.resize(length);
        return copy;
    }
    /// A copy in UTF-16, as Windows wants it, that wipes itself.
    Wiped<std::uint16_t> expose_utf16() const { return expose_utf16(object_); }
    static Wiped<std::uint16_t> expose_utf16(const laps_password *password) {
        Wiped<std::uint16_t> copy(LAPS_PASSWORD_MAX_LEN + 1);
        std::size_t length = 0;
        check(laps_password_copy_utf16(password, copy.data(), copy.capacity(), &length));
        copy.resize(length);
        return copy;
    }
    bool equals(const Password &other) const noexcept { return laps_password_equal(object_, other.object_); }
};

/// A rule that a password breaks.
struct Violation {
    std::string rule, message;
};

class Violations : public Object<laps_violations, laps_violations_free> {
public:
    using Object::Object;
    /// What the password policy of a Windows device would say; see laps_windows_check().
    static Violations windows(std::uint8_t min_length, bool complexity, const std::string &user_name,
                              const std::string &full_name, const char *text, std::size_t length) {
        laps_violations *made = nullptr;
        check(laps_windows_check(min_length, complexity, user_name.data(), user_name.size(), full_name.data(),
                                 full_name.size(), text, length, &made));
        return Violations(made);
    }
    std::size_t size() const noexcept { return laps_violations_count(object_); }
    bool empty() const noexcept { return size() == 0; }
    Violation at(std::size_t index) const {
        return Violation{detail::copy(laps_violations_rule(object_, index)),
                         detail::copy(laps_violations_message(object_, index))};
    }
};

class Recipe : public Object<laps_recipe, laps_recipe_free> {
public:
    using Object::Object;
    static Recipe characters(std::uint8_t complexity, std::uint8_t length) {
        laps_recipe *made = nullptr;
        check(laps_recipe_new(complexity, length, &made));
        return Recipe(made);
    }
    static Recipe passphrase(std::uint8_t complexity, std::uint8_t words) {
        laps_recipe *made = nullptr;
        check(laps_recipe_new_passphrase(complexity, words, &made));
        return Recipe(made);
    }
    static Recipe read(const std::string &document) {
        laps_recipe *made = nullptr;
        check(laps_recipe_read(detail::data(document), document.size(), &made));
        return Recipe(made);
    }
    std::uint64_t bits_micro() const noexcept { return laps_recipe_bits_micro(object_); }
    std::size_t min_length() const noexcept { return laps_recipe_min_length(object_); }
    std::size_t max_length() const noexcept { return laps_recipe_max_length(object_); }
    std::string admissible() const {
        const laps_recipe *object = object_;
        return detail::text([object](char *buffer, std::size_t size, std::size_t *length) {
            return laps_recipe_admissible(object, buffer, size, length);
        });
    }
    Violations violations(const char *text, std::size_t length) const {
        laps_violations *made = nullptr;
        check(laps_recipe_check(object_, text, length, &made));
        return Violations(made);
    }
};

class Policy : public Object<laps_policy, laps_policy_free> {
public:
    using Object::Object;
    static Policy read(const std::string &document) {
        laps_policy *made = nullptr;
        check(laps_policy_read(detail::data(document), document.size(), &made));
        return Policy(made);
    }
    static Policy defaults() {
        laps_policy *made = nullptr;
        check(laps_policy_new_default(&made));
        return Policy(made);
    }
    Recipe recipe() const {
        laps_recipe *made = nullptr;
        check(laps_policy_recipe(object_, &made));
        return Recipe(made);
    }
    std::uint8_t backup_directory() const noexcept { return laps_policy_backup_directory(object_); }
    std::uint16_t password_age_days() const noexcept { return laps_policy_password_age_days(object_); }
    std::string account_name() const {
        const laps_policy *object = object_;
        return detail::text([object](char *buffer, std::size_t size, std::size_t *length) {
            return laps_policy_administrator_account_name(object, buffer, size, length);
        });
    }
    /// The value of any setting by its name in the CSP.
    std::string value(const std::string &setting) const {
        const laps_policy *object = object_;
        return detail::text([object, &setting](char *buffer, std::size_t size, std::size_t *length) {
            return laps_policy_value(object, setting.data(), setting.size(), buffer, size, length);
        });
    }
    std::vector<std::uint8_t> hash() const {
        std::vector<std::uint8_t> bytes(32);
        check(laps_policy_hash(object_, bytes.data()));
        return bytes;
    }
};

/// What is wrong, or should be looked at, in policy documents: level is one of LAPS_LEVEL_*.
struct Finding {
    std::uint32_t level;
    std::string setting, message;
};

class Evaluation : public Object<laps_evaluation, laps_evaluation_free> {
public:
    Evaluation() { check(laps_evaluation_new(&object_)); }
    void add(const std::string &document, const std::string &source) {
        check(laps_evaluation_add(object_, detail::data(document), document.size(), source.data(), source.size()));
    }
    Policy policy() const {
        laps_policy *made = nullptr;
        check(laps_evaluation_policy(object_, &made));
        return Policy(made);
    }
    std::vector<Finding> findings() const {
        std::vector<Finding> all;
        for (std::size_t i = 0; i < laps_evaluation_finding_count(object_); i++)
            all.push_back(Finding{laps_evaluation_finding_level(object_, i),
                                  detail::copy(laps_evaluation_finding_setting(object_, i)),
                                  detail::copy(laps_evaluation_finding_message(object_, i))});
        return all;
    }
    bool resets_password() const noexcept { return laps_evaluation_resets_password(object_); }
    Bytes export_as(const std::string &form) const {
        laps_bytes *made = nullptr;
        check(laps_evaluation_export(object_, form.data(), form.size(), &made));
        return Bytes(made);
    }
    Bytes export_csp(const std::string &command) const {
        laps_bytes *made = nullptr;
        check(laps_evaluation_export_csp(object_, command.data(), command.size(), &made));
        return Bytes(made);
    }
    Bytes changes_to(const Evaluation &later) const {
        laps_bytes *made = nullptr;
        check(laps_evaluation_diff(object_, later.object_, &made));
        return Bytes(made);
    }
};

class Generator : public Object<laps_generator, laps_generator_free> {
public:
    Generator() { check(laps_generator_new(&object_)); }
    void reseed() { check(laps_generator_reseed(object_)); }
    Password password(const Recipe &recipe) {
        laps_password *made = nullptr;
        check(laps_generator_password(object_, recipe.get(), &made));
        return Password(made);
    }
    /// Many at once: count places of recipe.max_length() + 1 bytes, each a text ended by NUL, wiped at the end.
    Wiped<char> passwords(const Recipe &recipe, std::size_t count) {
        const std::size_t place = recipe.max_length() + 1;
        if (count > SIZE_MAX / 2 / place) throw Error(LAPS_STATUS_INVALID_ARGUMENT, "so many passwords fit no memory");
        Wiped<char> places(place * count);
        check(laps_generator_passwords(object_, recipe.get(), places.data(), place, count));
        places.resize(place * count);
        return places;
    }
};

class Reader : public Object<laps_reader, laps_reader_free> {
public:
    using Object::Object;
    static Reader parse(const std::string &line) {
        laps_reader *made = nullptr;
        check(laps_reader_parse(line.data(), line.size(), &made));
        return Reader(made);
    }
    std::string text() const {
        const laps_reader *object = object_;
        return detail::text([object](char *buffer, std::size_t size, std::size_t *length) {
            return laps_reader_text(object, buffer, size, length);
        });
    }
    std::string name() const {
        const laps_reader *object = object_;
        return detail::text([object](char *buffer, std::size_t size, std::size_t *length) {
            return laps_reader_name(object, buffer, size, length);
        });
    }
    std::vector<std::uint8_t> id() const {
        std::vector<std::uint8_t> bytes(32);
        check(laps_reader_id(object_, bytes.data()));
        return bytes;
    }
    std::uint16_t suite() const noexcept { return laps_reader_suite(object_); }
};

class Signer : public Object<laps_signer, laps_signer_free> {
public:
    using Object::Object;
    static Signer parse(const std::string &line) {
        laps_signer *made = nullptr;
        check(laps_signer_parse(line.data(), line.size(), &made));
        return Signer(made);
    }
    std::string text() const {
        const laps_signer *object = object_;
        return detail::text([object](char *buffer, std::size_t size, std::size_t *length) {
            return laps_signer_text(object, buffer, size, length);
        });
    }
};

class ReaderSet : public Object<laps_reader_set, laps_reader_set_free> {
public:
    using Object::Object;
    /// in_force is what head() gave for the set in force; empty where none was accepted before.
    static ReaderSet verify(const std::string &document, const Signer &authority, const std::string &scope,
                            const std::vector<std::uint8_t> &in_force) {
        if (!in_force.empty() && in_force.size() != 40)
            throw Error(LAPS_STATUS_INVALID_ARGUMENT, "what is remembered of a reader set has 40 bytes");
        laps_reader_set *made = nullptr;
        check(laps_reader_set_verify(detail::data(document), document.size(), authority.get(), scope.data(), scope.size(),
                                     in_force.empty() ? nullptr : in_force.data(), &made));
        return ReaderSet(made);
    }
    std::uint64_t version() const noexcept { return laps_reader_set_version(object_); }
    std::size_t size() const noexcept { return laps_reader_set_count(object_); }
    Reader at(std::size_t index) const {
        laps_reader *made = nullptr;
        check(laps_reader_set_reader(object_, index, &made));
        return Reader(made);
    }
    std::vector<std::uint8_t> head() const {
        std::vector<std::uint8_t> bytes(40);
        check(laps_reader_set_head(object_, bytes.data()));
        return bytes;
    }
};

class Header : public Object<laps_header, laps_header_free> {
public:
    /// Takes a header over that a call of laps.h handed out.
    explicit Header(laps_header *object) noexcept : Object(object) {}
    Header(Generator &generator, const std::string &device, const std::string &account) {
        check(laps_header_new(generator.get(), device.data(), device.size(), account.data(), account.size(), &object_));
    }
    void set_scope(const std::string &scope) { check(laps_header_set_scope(object_, scope.data(), scope.size())); }
    void set_sid(const std::string &sid) { check(laps_header_set_sid(object_, sid.data(), sid.size())); }
    void set_version(std::uint64_t version, std::uint64_t made_at) {
        check(laps_header_set_version(object_, version, made_at));
    }
    void set_policy(const Policy &policy) { check(laps_header_set_policy(object_, policy.get())); }
    RecordId id() const {
        RecordId bytes(16);
        check(laps_header_id(object_, bytes.data()));
        return bytes;
    }
};

class Record : public Object<laps_record, laps_record_free> {
public:
    using Object::Object;
    static Record seal(const Header &header, const Password &password, const std::vector<const Reader *> &readers,
                       Generator &generator) {
        const std::vector<const laps_reader *> all = detail::pointers<Reader, laps_reader>(readers);
        laps_record *made = nullptr;
        check(laps_record_seal(header.get(), password.get(), all.data(), all.size(), generator.get(), &made));
        return Record(made);
    }
    static Record parse(const std::vector<std::uint8_t> &bytes) {
        laps_record *made = nullptr;
        check(laps_record_parse(bytes.data(), bytes.size(), &made));
        return Record(made);
    }
    std::vector<std::uint8_t> bytes() const {
        const std::uint8_t *start = laps_record_bytes(object_);
        return std::vector<std::uint8_t>(start, start + laps_record_len(object_));
    }
    RecordId id() const {
        RecordId bytes(16);
        check(laps_record_id(object_, bytes.data()));
        return bytes;
    }
    std::uint64_t version() const noexcept { return laps_record_version(object_); }
    std::uint64_t made_at() const noexcept { return laps_record_made_at(object_); }
    std::string device() const {
        const laps_record *object = object_;
        return detail::text([object](char *buffer, std::size_t size, std::size_t *length) {
            return laps_record_device(object, buffer, size, length);
        });
    }
    std::string account() const {
        const laps_record *object = object_;
        return detail::text([object](char *buffer, std::size_t size, std::size_t *length) {
            return laps_record_account(object, buffer, size, length);
        });
    }
    std::size_t reader_count() const noexcept { return laps_record_reader_count(object_); }
#ifdef LAPS_FULL
    std::uint16_t suite() const noexcept { return laps_record_suite(object_); }
    std::uint32_t sealing() const noexcept { return laps_record_sealing(object_); }
    std::vector<std::uint8_t> policy_hash() const {
        std::vector<std::uint8_t> hash(32);
        check(laps_record_policy_hash(object_, hash.data()));
        return hash;
    }
    bool is_proven_by(const std::array<std::uint8_t, 32> &proof) const noexcept {
        return laps_record_is_proven_by(object_, proof.data());
    }
    bool is_signed() const noexcept { return laps_record_is_signed(object_); }
    /// Throws with LAPS_STATUS_REJECTED unless this signer signed the record.
    void verify_signature(const Signer &signer) const { check(laps_record_verify_signature(object_, signer.get())); }
#endif
};

class Accounts : public Object<laps_accounts, laps_accounts_free> {
public:
    Accounts() { check(laps_accounts_new(&object_)); }
    explicit Accounts(laps_accounts *accounts) noexcept : Object(accounts) {}
    /// An empty SID is none.
    void add(const std::string &name, const std::string &sid, bool enabled) {
        check(laps_accounts_add(object_, name.data(), name.size(), sid.data(), sid.size(), enabled));
    }
    std::size_t choose(const Policy &policy) const {
        std::size_t index = 0;
        check(laps_accounts_choose(object_, policy.get(), &index));
        return index;
    }
    std::string automatic_name(const Policy &policy, Generator &generator) const {
        char name[64];
        std::size_t length = 0;
        check(laps_accounts_automatic_name(object_, policy.get(), generator.get(), name, sizeof name, &length));
        return std::string(name, length);
    }
};

class Config : public Object<laps_config, laps_config_free> {
public:
    Config(const Policy &policy, const std::string &device, const std::string &account) {
        check(laps_config_new(policy.get(), device.data(), device.size(), account.data(), account.size(), &object_));
    }
    void set_scope(const std::string &scope) { check(laps_config_set_scope(object_, scope.data(), scope.size())); }
    void set_sid(const std::string &sid) { check(laps_config_set_sid(object_, sid.data(), sid.size())); }
    void set_can_verify(bool can_verify) { check(laps_config_set_can_verify(object_, can_verify)); }
    void set_check_in_seconds(std::uint64_t seconds) { check(laps_config_set_check_in_seconds(object_, seconds)); }
    void set_plaintext_seconds(std::uint64_t seconds) { check(laps_config_set_plaintext_seconds(object_, seconds)); }
};

class Event : public Object<laps_event, laps_event_free> {
public:
    using Object::Object;
    std::string name() const { return detail::copy(laps_event_name(object_)); }
    std::string reason() const { return detail::copy(laps_event_reason(object_)); }
    std::uint32_t id() const noexcept { return laps_event_id(object_); }
    std::uint32_t level() const noexcept { return laps_event_level(object_); }
    std::uint64_t at() const noexcept { return laps_event_at(object_); }
    std::uint64_t version() const noexcept { return laps_event_version(object_); }
    std::uint64_t detail() const noexcept { return laps_event_detail(object_); }
    /// The event of an agent as one JSON object; empty for that of a rotation.
    std::string json() const { return detail::copy(laps_event_json(object_)); }
};

/// Brings a check-in to the vault and its answer back. A laps::Error has its status for the agent; whatever else it throws
/// means that the vault was not reached.
typedef std::function<Bytes(const std::uint8_t *check_in, std::size_t length)> Channel;
/// Is told what happened. The event is lent for the call. What it throws is dropped.
typedef std::function<void(const Event &)> OnEvent;

/// An account store of your own, as laps_account_calls has it. An empty function is what it cannot; find and set must be there.
/// What a function throws is its failure. The passwords are lent for the call.
struct AccountCalls {
    /// Adds the account to the accounts, which are lent for the call; one of LAPS_ACCOUNT_*.
    std::function<std::uint32_t(const std::string &name, Accounts &accounts)> find;
    /// One of LAPS_APPLIED_*.
    std::function<std::uint32_t(const std::string &account, const laps_password *password)> set;
    /// One of LAPS_VERIFIED_*.
    std::function<std::uint32_t(const std::string &account, const laps_password *password)> verify;
    std::function<std::array<std::uint8_t, 32>(const std::string &account)> change_stamp;
    /// When the account was last used at or after a time; 0 for never.
    std::function<std::uint64_t(const std::string &account, std::uint64_t since)> used_since;
    /// Does one of LAPS_ACTION_*; one of LAPS_ACTED_*.
    std::function<std::uint32_t(const std::string &account, std::uint32_t action)> act;
};

namespace detail {
/// A wrapper of what the library lends for a call: nothing is freed.
template <typename Wrapper, typename T>
struct Lent {
    Wrapper wrapper;
    explicit Lent(const T *object) noexcept : wrapper(const_cast<T *>(object)) {}
    Lent(const Lent &) = delete;
    Lent &operator=(const Lent &) = delete;
    ~Lent() { wrapper.release(); }
};
/// Calls a function of a store; what it throws is the answer that is given for it.
template <typename Answer, typename Function>
Answer kept(Answer failed, Function function) noexcept {
    try {
        return function();
    } catch (...) {
        return failed;
    }
}
inline const AccountCalls &store(void *user) { return *static_cast<const AccountCalls *>(user); }
extern "C" {
inline laps_status laps_hpp_channel(void *user, const std::uint8_t *check_in, std::size_t length, laps_bytes **out_answer) {
    try {
        *out_answer = (*static_cast<const Channel *>(user))(check_in, length).release();
        return LAPS_STATUS_OK;
    } catch (const Error &error) {
        return error.status();
    } catch (...) {
        return LAPS_STATUS_UNREACHABLE;
    }
}
inline void laps_hpp_on_event(void *user, const laps_event *event) {
    kept(0, [=] {
        Lent<Event, laps_event> lent(event);
        (*static_cast<const OnEvent *>(user))(lent.wrapper);
        return 0;
    });
}
inline std::uint32_t laps_hpp_find(void *user, const char *name, laps_accounts *accounts) {
    return kept<std::uint32_t>(LAPS_ACCOUNT_UNKNOWN, [=] {
        Lent<Accounts, laps_accounts> lent(accounts);
        return store(user).find(name, lent.wrapper);
    });
}
inline std::uint32_t laps_hpp_set(void *user, const char *account, const laps_password *password) {
    return kept<std::uint32_t>(LAPS_APPLIED_FAILED, [=] { return store(user).set(account, password); });
}
inline std::uint32_t laps_hpp_verify(void *user, const char *account, const laps_password *password) {
    return kept<std::uint32_t>(LAPS_VERIFIED_UNAVAILABLE, [=] { return store(user).verify(account, password); });
}
inline bool laps_hpp_change_stamp(void *user, const char *account, std::uint8_t *out_stamp) {
    return kept(false, [=] {
        const std::array<std::uint8_t, 32> stamp = store(user).change_stamp(account);
        for (std::size_t i = 0; i < stamp.size(); i++) out_stamp[i] = stamp[i];
        return true;
    });
}
inline bool laps_hpp_used_since(void *user, const char *account, std::uint64_t since, std::uint64_t *out_at) {
    return kept(false, [=] {
        *out_at = store(user).used_since(account, since);
        return true;
    });
}
inline std::uint32_t laps_hpp_act(void *user, const char *account, std::uint32_t action) {
    return kept<std::uint32_t>(LAPS_ACTED_FAILED, [=] { return store(user).act(account, action); });
}
}
} // namespace detail

/// What an agent is opened with. An agent keeps the functions that the options had when it was opened.
class AgentOptions : public Object<laps_agent_options, laps_agent_options_free> {
public:
    /// The device as the vault calls it, and the folder that keeps its state.
    AgentOptions(const std::string &device, const std::string &folder) {
        check(laps_agent_options_new(device.data(), device.size(), folder.data(), folder.size(), &object_));
    }
    void set_scope(const std::string &scope) { check(laps_agent_options_set_scope(object_, scope.data(), scope.size())); }
    void add_policy(const std::string &document, const std::string &source) {
        check(laps_agent_options_add_policy(object_, detail::data(document), document.size(), source.data(), source.size()));
    }
    void add_policy_file(const std::string &path) {
        check(laps_agent_options_add_policy_file(object_, path.data(), path.size()));
    }
    void set_last_wins(bool last_wins) { check(laps_agent_options_set_last_wins(object_, last_wins)); }
    void set_readers(const std::vector<const Reader *> &readers) {
        const std::vector<const laps_reader *> all = detail::pointers<Reader, laps_reader>(readers);
        check(laps_agent_options_set_readers(object_, all.data(), all.size()));
    }
    void set_reader_set(const std::string &path, const Signer &authority) {
        check(laps_agent_options_set_reader_set(object_, path.data(), path.size(), authority.get()));
    }
    /// "linux", "windows" or "command:CMD"; see laps_agent_options_set_store().
    void set_store(const std::string &name) { check(laps_agent_options_set_store(object_, name.data(), name.size())); }
    void set_store(const AccountCalls &store) {
        std::shared_ptr<AccountCalls> kept = std::make_shared<AccountCalls>(store);
        laps_account_calls calls = {sizeof(laps_account_calls),
                                    store.find ? detail::laps_hpp_find : nullptr,
                                    store.set ? detail::laps_hpp_set : nullptr,
                                    store.verify ? detail::laps_hpp_verify : nullptr,
                                    store.change_stamp ? detail::laps_hpp_change_stamp : nullptr,
                                    store.used_since ? detail::laps_hpp_used_since : nullptr,
                                    store.act ? detail::laps_hpp_act : nullptr};
        check(laps_agent_options_set_account_calls(object_, &calls, kept.get()));
        store_ = kept;
    }
    void set_channel(const Channel &channel) {
        std::shared_ptr<Channel> kept = std::make_shared<Channel>(channel);
        check(laps_agent_options_set_channel(object_, channel ? detail::laps_hpp_channel : nullptr, kept.get()));
        channel_ = kept;
    }
    /// An empty function: nobody is told.
    void set_on_event(const OnEvent &on_event) {
        std::shared_ptr<OnEvent> kept = std::make_shared<OnEvent>(on_event);
        check(laps_agent_options_set_on_event(object_, on_event ? detail::laps_hpp_on_event : nullptr, kept.get()));
        on_event_ = kept;
    }
    void set_timeouts(std::uint64_t lock_seconds, std::uint64_t setter_seconds, std::uint64_t patience_seconds) {
        check(laps_agent_options_set_timeouts(object_, lock_seconds, setter_seconds, patience_seconds));
    }
    void acknowledge_log() { check(laps_agent_options_acknowledge_log(object_)); }

private:
    friend class Agent;
    std::shared_ptr<AccountCalls> store_;
    std::shared_ptr<Channel> channel_;
    std::shared_ptr<OnEvent> on_event_;
};

/// The agent of a device: see laps_agent. Threads may share it.
class Agent : public Object<laps_agent, laps_agent_free> {
public:
    explicit Agent(const AgentOptions &options)
        : store_(options.store_), channel_(options.channel_), on_event_(options.on_event_) {
        check(laps_agent_open(options.get(), &object_));
    }
    Agent(Agent &&) noexcept = default;
    Agent &operator=(Agent &&) noexcept = default;
    /// The agent ends before what it calls.
    ~Agent() { reset(); }
    /// One of LAPS_OUTCOME_*.
    std::uint32_t run_once(bool force = false) const {
        std::uint32_t outcome = 0;
        check(laps_agent_run_once(object_, force, &outcome));
        return outcome;
    }
    /// One of LAPS_OUTCOME_*.
    std::uint32_t check_in() const {
        std::uint32_t outcome = 0;
        check(laps_agent_check_in(object_, &outcome));
        return outcome;
    }
    void run(std::uint64_t interval_seconds) const { check(laps_agent_run(object_, interval_seconds)); }
    void stop() const noexcept { laps_agent_stop(object_); }
    /// What a state folder says about its device, as one JSON object.
    static std::string status(const std::string &folder) {
        laps_bytes *made = nullptr;
        check(laps_agent_status(folder.data(), folder.size(), &made));
        return Bytes(made).text();
    }

private:
    std::shared_ptr<AccountCalls> store_;
    std::shared_ptr<Channel> channel_;
    std::shared_ptr<OnEvent> on_event_;
};

/// The accounts of this machine, for a loop of your own: see laps_account_store. find() comes first.
class AccountStore : public Object<laps_account_store, laps_account_store_free> {
public:
    /// The store by its name, as AgentOptions::set_store() has it, and the file of its lock.
    AccountStore(const std::string &store, const std::string &path, std::uint64_t setter_seconds = 30) {
        check(laps_account_store_open(store.data(), store.size(), path.data(), path.size(), setter_seconds, &object_));
    }
    /// The sum of LAPS_ABILITY_*.
    std::uint32_t abilities() const noexcept { return laps_account_store_abilities(object_); }
    /// One of LAPS_ACCOUNT_*; an empty name means the built-in administrator.
    std::uint32_t find(const std::string &name) {
        std::uint32_t seen = 0;
        check(laps_account_store_find(object_, name.data(), name.size(), &seen));
        return seen;
    }
    /// The account that was found, and its SID, which may be empty.
    std::string account() const { return detail::copy(laps_account_store_account(object_)); }
    std::string sid() const { return detail::copy(laps_account_store_sid(object_)); }
    /// False where the platform has none.
    bool change_stamp(std::array<std::uint8_t, 32> &stamp) {
        const laps_status status = laps_account_store_change_stamp(object_, stamp.data());
        if (status == LAPS_STATUS_NOT_FOUND) return false;
        check(status);
        return true;
    }
    /// password is one that the account does not have.
    bool can_verify(const laps_password *password) { return laps_account_store_can_verify(object_, password); }
    /// One of LAPS_APPLIED_*; reason() says why it is no success. Likewise below.
    std::uint32_t set(const laps_password *password) {
        std::uint32_t applied = 0;
        check(laps_account_store_set(object_, password, &applied));
        return applied;
    }
    /// One of LAPS_VERIFIED_*.
    std::uint32_t verify(const laps_password *password) {
        std::uint32_t verified = 0;
        check(laps_account_store_verify(object_, password, &verified));
        return verified;
    }
    /// When the account was last used, at or after a time; 0 for not at all.
    std::uint64_t used_since(std::uint64_t since) {
        std::uint64_t at = 0;
        check(laps_account_store_used_since(object_, since, &at));
        return at;
    }
    /// Does one of LAPS_ACTION_*; one of LAPS_ACTED_*.
    std::uint32_t act(std::uint32_t action) {
        std::uint32_t acted = 0;
        check(laps_account_store_act(object_, action, &acted));
        return acted;
    }
    std::string reason() const { return detail::copy(laps_account_store_reason(object_)); }
};

/// What to do next: one of LAPS_WISH_*, and its value.
struct Wish {
    std::uint32_t wish;
    std::uint64_t value;
};

class Rotation : public Object<laps_rotation, laps_rotation_free> {
public:
    using Object::Object;
    static Rotation start(const Config &config, std::uint64_t now) {
        laps_rotation *made = nullptr;
        check(laps_rotation_new(config.get(), now, &made));
        return Rotation(made);
    }
    /// stamp is the account's change stamp, 32 bytes, or nullptr.
    static Rotation resume(const Config &config, const std::string &state, const std::uint8_t *stamp, std::uint64_t now) {
        laps_rotation *made = nullptr;
        check(laps_rotation_resume(config.get(), detail::data(state), state.size(), stamp, now, &made));
        return Rotation(made);
    }
    Wish poll() const {
        Wish wish = {0, 0};
        check(laps_rotation_poll(object_, &wish.wish, &wish.value));
        return wish;
    }
    /// The next event; empty (false) when there is none.
    Event poll_event() {
        laps_event *made = nullptr;
        const laps_status status = laps_rotation_poll_event(object_, &made);
        if (status != LAPS_STATUS_NOT_FOUND) check(status);
        return Event(made);
    }
    Bytes state() {
        laps_bytes *made = nullptr;
        check(laps_rotation_state(object_, &made));
        return Bytes(made);
    }
    Bytes check_in(Generator &generator) {
        laps_bytes *made = nullptr;
        check(laps_rotation_check_in(object_, generator.get(), &made));
        return Bytes(made);
    }
    /// The new password, lent until the rotation changes; nullptr when none is to be set or asked for.
    const laps_password *password() const noexcept { return laps_rotation_password(object_); }
    std::string account() const {
        const laps_rotation *object = object_;
        return detail::text([object](char *buffer, std::size_t size, std::size_t *length) {
            return laps_rotation_account(object, buffer, size, length);
        });
    }
    std::uint32_t step() const noexcept { return laps_rotation_step(object_); }
    std::uint64_t version() const noexcept { return laps_rotation_version(object_); }
    std::uint64_t due() const noexcept { return laps_rotation_due(object_); }
    bool is_due() const noexcept { return laps_rotation_is_due(object_); }
    std::uint64_t used_since() const noexcept { return laps_rotation_used_since(object_); }
    void prepare(Generator &generator, const Recipe &recipe, const std::vector<const Reader *> &readers,
                 const std::uint8_t *stamp, std::uint64_t now) {
        const std::vector<const laps_reader *> all = detail::pointers<Reader, laps_reader>(readers);
        check(laps_rotation_prepare(object_, generator.get(), recipe.get(), all.data(), all.size(), stamp, now));
    }
    void handle_saved() { check(laps_rotation_handle_saved(object_)); }
    void handle_save_failed(Generator &generator, std::uint64_t now) {
        check(laps_rotation_handle_save_failed(object_, generator.get(), now));
    }
    void handle_answer(const std::uint8_t *answer, std::size_t length, Generator &generator, std::uint64_t now) {
        check(laps_rotation_handle_answer(object_, answer, length, generator.get(), now));
    }
    void handle_check_in_failed(Generator &generator, std::uint64_t now) {
        check(laps_rotation_handle_check_in_failed(object_, generator.get(), now));
    }
    void handle_stamp(const std::uint8_t *stamp, std::uint64_t now) {
        check(laps_rotation_handle_stamp(object_, stamp, now));
    }
    void handle_applied(std::uint32_t applied, Generator &generator, std::uint64_t now) {
        check(laps_rotation_handle_applied(object_, applied, generator.get(), now));
    }
    void handle_verified(std::uint32_t verified, Generator &generator, std::uint64_t now) {
        check(laps_rotation_handle_verified(object_, verified, generator.get(), now));
    }
    void handle_acted(std::uint32_t acted, std::uint64_t now) { check(laps_rotation_handle_acted(object_, acted, now)); }
    /// One of LAPS_ACCOUNT_*; the stamp may be null.
    void handle_account(std::uint32_t account, const std::uint8_t *stamp, std::uint64_t now) {
        check(laps_rotation_handle_account(object_, account, stamp, now));
    }
    void handle_readers(const std::vector<const Reader *> &readers, std::uint64_t now) {
        const std::vector<const laps_reader *> all = detail::pointers<Reader, laps_reader>(readers);
        check(laps_rotation_handle_readers(object_, all.data(), all.size(), now));
    }
    void acknowledge_log(std::uint64_t now) { check(laps_rotation_acknowledge_log(object_, now)); }
    void handle_used(std::uint64_t at, std::uint64_t now) { check(laps_rotation_handle_used(object_, at, now)); }
    void handle_timeout(std::uint64_t now) { check(laps_rotation_handle_timeout(object_, now)); }
    void handle_config(const Config &config, std::uint64_t now) {
        check(laps_rotation_handle_config(object_, config.get(), now));
    }
    void force(std::uint64_t now) { check(laps_rotation_force(object_, now)); }
    void skip_back_off(std::uint64_t now) { check(laps_rotation_skip_back_off(object_, now)); }
};

#ifdef LAPS_FULL
/// What opening a record gives.
struct Opened {
    Password password;
    /// Shows that somebody opened the record.
    std::array<std::uint8_t, 32> proof;
};

class ReaderKey : public Object<laps_reader_key, laps_reader_key_free> {
public:
    using Object::Object;
    ReaderKey(Generator &generator, std::uint16_t suite, const std::string &name) {
        check(laps_reader_key_new(generator.get(), suite, name.data(), name.size(), &object_));
    }
    /// An empty passphrase is none.
    static ReaderKey from_file(const std::uint8_t *file, std::size_t length, const std::uint8_t *passphrase,
                               std::size_t passphrase_length) {
        laps_reader_key *made = nullptr;
        check(laps_reader_key_from_file(file, length, passphrase, passphrase_length, &made));
        return ReaderKey(made);
    }
    Bytes to_file(const std::uint8_t *passphrase, std::size_t passphrase_length, Generator &generator) const {
        laps_bytes *made = nullptr;
        check(laps_reader_key_to_file(object_, passphrase, passphrase_length, generator.get(), &made));
        return Bytes(made);
    }
    Reader reader() const {
        laps_reader *made = nullptr;
        check(laps_reader_key_reader(object_, &made));
        return Reader(made);
    }
    /// The password, and the proof that the record was opened (Record::is_proven_by).
    Opened open(const Record &record) const {
        laps_password *made = nullptr;
        std::array<std::uint8_t, 32> proof;
        check(laps_reader_key_open(object_, record.get(), &made, proof.data()));
        return Opened{Password(made), proof};
    }
    Record reseal(const Record &record, const std::vector<const Reader *> &readers, Generator &generator) const {
        const std::vector<const laps_reader *> all = detail::pointers<Reader, laps_reader>(readers);
        laps_record *made = nullptr;
        check(laps_reader_key_reseal(object_, record.get(), all.data(), all.size(), generator.get(), &made));
        return Record(made);
    }
};

class SignerKey : public Object<laps_signer_key, laps_signer_key_free> {
public:
    using Object::Object;
    SignerKey(Generator &generator, const std::string &name) {
        check(laps_signer_key_new(generator.get(), name.data(), name.size(), &object_));
    }
    /// An empty passphrase is none.
    static SignerKey from_file(const std::uint8_t *file, std::size_t length, const std::uint8_t *passphrase,
                               std::size_t passphrase_length) {
        laps_signer_key *made = nullptr;
        check(laps_signer_key_from_file(file, length, passphrase, passphrase_length, &made));
        return SignerKey(made);
    }
    Bytes to_file(const std::uint8_t *passphrase, std::size_t passphrase_length, Generator &generator) const {
        laps_bytes *made = nullptr;
        check(laps_signer_key_to_file(object_, passphrase, passphrase_length, generator.get(), &made));
        return Bytes(made);
    }
    Signer signer() const {
        laps_signer *made = nullptr;
        check(laps_signer_key_signer(object_, &made));
        return Signer(made);
    }
    Bytes sign_readers(const std::string &scope, std::uint64_t version, const std::vector<const Reader *> &readers) const {
        const std::vector<const laps_reader *> all = detail::pointers<Reader, laps_reader>(readers);
        laps_bytes *made = nullptr;
        check(laps_signer_key_sign_readers(object_, scope.data(), scope.size(), version, all.data(), all.size(), &made));
        return Bytes(made);
    }
};

/// What a vault lists; a field is one of LAPS_FIELD_*.
class Rows : public Object<laps_rows, laps_rows_free> {
public:
    using Object::Object;
    std::size_t size() const noexcept { return laps_rows_count(object_); }
    /// Empty where the row has no such text.
    std::string text(std::size_t index, std::uint32_t field) const {
        return detail::copy(laps_rows_text(object_, index, field));
    }
    /// 0 where the row has no such number.
    std::uint64_t number(std::size_t index, std::uint32_t field) const noexcept {
        return laps_rows_number(object_, index, field);
    }
    std::vector<std::uint8_t> bytes(std::size_t index) const {
        const std::uint8_t *start = laps_rows_bytes(object_, index);
        return std::vector<std::uint8_t>(start, start + laps_rows_bytes_len(object_, index));
    }
    /// What to pass as after for the next page; empty at the end.
    std::string next() const { return detail::copy(laps_rows_next(object_)); }
};

class Disclosure : public Object<laps_disclosure, laps_disclosure_free> {
public:
    using Object::Object;
    std::size_t size() const noexcept { return laps_disclosure_count(object_); }
    Record record(std::size_t index) const {
        laps_record *made = nullptr;
        check(laps_disclosure_record(object_, index, &made));
        return Record(made);
    }
    std::uint32_t state(std::size_t index) const noexcept { return laps_disclosure_state(object_, index); }
    /// When the vault received it.
    std::uint64_t updated(std::size_t index) const noexcept { return laps_disclosure_updated(object_, index); }
    /// Records that are missing among these, because what is stored of them is damaged.
    Rows damaged() const {
        laps_rows *made = nullptr;
        check(laps_disclosure_damaged(object_, &made));
        return Rows(made);
    }
    std::uint64_t entry() const noexcept { return laps_disclosure_entry(object_); }
    std::string head() const { return detail::copy(laps_disclosure_head(object_)); }
};

/// Check-ins that Vault::check_in_many() takes together.
class CheckIns : public Object<laps_check_ins, laps_check_ins_free> {
public:
    CheckIns() { check(laps_check_ins_new(&object_)); }
    void add(const std::string &device, const std::uint8_t *message, std::size_t length) {
        check(laps_check_ins_add(object_, device.data(), device.size(), message, length));
    }
    std::size_t size() const noexcept { return laps_check_ins_count(object_); }
};

/// Names of devices that Vault::order_devices() takes together.
class Devices : public Object<laps_devices, laps_devices_free> {
public:
    Devices() { check(laps_devices_new(&object_)); }
    void add(const std::string &device) { check(laps_devices_add(object_, device.data(), device.size())); }
    std::size_t size() const noexcept { return laps_devices_count(object_); }
};

/// What another directory holds for a device, without the passwords.
class Foreign : public Object<laps_foreign, laps_foreign_free> {
public:
    Foreign() { check(laps_foreign_new(&object_)); }
    /// The SID may be empty. The time is when the directory was given the password.
    void add(const std::string &account, const std::string &sid, std::uint64_t made_at) {
        check(laps_foreign_add(object_, account.data(), account.size(), sid.data(), sid.size(), made_at));
    }
    std::size_t size() const noexcept { return laps_foreign_count(object_); }
};

/// Which of those passwords a vault lacks, the oldest first.
class Adoptable : public Object<laps_adoptable, laps_adoptable_free> {
public:
    using Object::Object;
    std::size_t size() const noexcept { return laps_adoptable_count(object_); }
    /// Which one it is in the order of Foreign::add(), and the header under which it is to be sealed.
    std::pair<std::size_t, Header> at(std::size_t index) const {
        std::size_t position = 0;
        laps_header *made = nullptr;
        check(laps_adoptable_header(object_, index, &position, &made));
        return std::pair<std::size_t, Header>(position, Header(made));
    }
};

/// Is told how far a call is: done, of total. What it throws is thrown again when the call is over.
typedef std::function<void(std::uint64_t, std::uint64_t)> Progress;
/// Is asked before a step of so many records whether to take it. What it throws ends the call, and is thrown again.
typedef std::function<bool(std::uint64_t)> Step;

namespace detail {
/// Carries what a function throws past the C library, through which no exception may go.
template <typename Function>
struct Called {
    const Function &function;
    std::exception_ptr thrown;
    explicit Called(const Function &called) : function(called) {}
    void again() const {
        if (thrown) std::rethrow_exception(thrown);
    }
};
extern "C" {
inline void laps_hpp_progress(void *user, std::uint64_t done, std::uint64_t total) {
    Called<Progress> *called = static_cast<Called<Progress> *>(user);
    if (called->thrown || !called->function) return;
    try {
        called->function(done, total);
    } catch (...) {
        called->thrown = std::current_exception();
    }
}
inline bool laps_hpp_step(void *user, std::uint64_t records) {
    Called<Step> *called = static_cast<Called<Step> *>(user);
    if (!called->function) return true;
    try {
        return called->function(records);
    } catch (...) {
        called->thrown = std::current_exception();
        return false;
    }
}
}
} // namespace detail

/// Looking at a vault without the power to hand anything out or to change anything.
class Metadata : public Object<laps_metadata, laps_metadata_free> {
public:
    using Object::Object;
    Rows list(const std::string &after, std::size_t limit) const {
        laps_rows *made = nullptr;
        check(laps_metadata_list(object_, after.data(), after.size(), limit, &made));
        return Rows(made);
    }
    Rows show(const std::string &device) const {
        laps_rows *made = nullptr;
        check(laps_metadata_show(object_, device.data(), device.size(), &made));
        return Rows(made);
    }
    Rows history(const std::string &device) const {
        laps_rows *made = nullptr;
        check(laps_metadata_history(object_, device.data(), device.size(), &made));
        return Rows(made);
    }
    Rows due(std::uint64_t until, const std::string &after, std::size_t limit) const {
        laps_rows *made = nullptr;
        check(laps_metadata_due(object_, until, after.data(), after.size(), limit, &made));
        return Rows(made);
    }
    laps_stats stats(std::uint64_t now) const {
        laps_stats stats;
        check(laps_metadata_stats(object_, now, &stats));
        return stats;
    }
};

class Vault : public Object<laps_vault, laps_vault_free> {
public:
    using Object::Object;
    static Vault init(const std::string &path, const std::string &scope, const std::vector<const Reader *> &readers,
                      const std::string &actor, std::uint64_t now) {
        const std::vector<const laps_reader *> all = detail::pointers<Reader, laps_reader>(readers);
        laps_vault *made = nullptr;
        check(laps_vault_init(path.data(), path.size(), scope.data(), scope.size(), all.data(), all.size(), actor.data(),
                              actor.size(), now, &made));
        return Vault(made);
    }
    static Vault open(const std::string &path, const std::string &scope) {
        laps_vault *made = nullptr;
        check(laps_vault_open(path.data(), path.size(), scope.data(), scope.size(), &made));
        return Vault(made);
    }
    Bytes check_in(const std::string &device, const std::uint8_t *message, std::size_t length, std::uint64_t now) const {
        laps_bytes *made = nullptr;
        check(laps_vault_check_in(object_, device.data(), device.size(), message, length, now, &made));
        return Bytes(made);
    }
    /// A row for each, in their order: bytes() is its answer where number(…, LAPS_FIELD_STATUS) is LAPS_STATUS_OK.
    Rows check_in_many(const CheckIns &check_ins, std::uint64_t now) const {
        laps_rows *made = nullptr;
        check(laps_vault_check_in_many(object_, check_ins.get(), now, &made));
        return Rows(made);
    }
    void order_rotation(const std::string &device, const std::string &actor, const std::string &reason,
                        std::uint64_t now) const {
        check(laps_vault_order_rotation(object_, device.data(), device.size(), actor.data(), actor.size(), reason.data(),
                                        reason.size(), now));
    }
    Disclosure disclose(const std::string &device, const std::string &actor, const std::string &reason, bool history,
                        std::uint64_t rotate_after, std::uint64_t now) const {
        laps_disclosure *made = nullptr;
        check(laps_vault_disclose(object_, device.data(), device.size(), actor.data(), actor.size(), reason.data(),
                                  reason.size(), history, rotate_after, now, &made));
        return Disclosure(made);
    }
    /// The number of entries; throws with LAPS_STATUS_AUDIT_BROKEN when they do not verify.
    std::uint64_t audit_verify(const std::string &expect) const {
        std::uint64_t entries = 0;
        check(laps_vault_audit_verify(object_, expect.data(), expect.size(), &entries));
        return entries;
    }
    /// What the program knows about where its requests come from; beside actor and reason in the trail.
    void set_context(const std::string &context) {
        check(laps_vault_set_context(object_, context.data(), context.size()));
    }
    Metadata metadata() const {
        laps_metadata *made = nullptr;
        check(laps_vault_metadata(object_, &made));
        return Metadata(made);
    }
    /// What the trail's verification found, also of a broken trail.
    struct AuditReport {
        bool verified;
        std::uint64_t entries;
        std::string head;
        std::uint64_t first_bad; ///< from 1; 0 where nothing is bad
    };
    AuditReport audit_report(const std::string &expect, const Progress &progress = Progress()) const {
        detail::Called<Progress> called(progress);
        laps_rows *made = nullptr;
        laps_status status =
            laps_vault_audit_report(object_, expect.data(), expect.size(), detail::laps_hpp_progress, &called, &made);
        Rows rows(made);
        check(status);
        called.again();
        return AuditReport{rows.number(0, LAPS_FIELD_VERIFIED) == 1, rows.number(0, LAPS_FIELD_COUNT),
                           rows.text(0, LAPS_FIELD_HEAD), rows.number(0, LAPS_FIELD_FIRST_BAD)};
    }
    /// The head of the trail that this thread's latest change through this object answered; see laps_vault_receipt().
    std::string receipt() const {
        const laps_vault *object = object_;
        return detail::text([object](char *buffer, std::size_t size, std::size_t *length) {
            std::uint64_t entry = 0;
            return laps_vault_receipt(object, buffer, size, length, &entry);
        });
    }
    /// How many devices have an order now that had none before; likewise below. All of these, or none.
    std::uint64_t order_devices(const Devices &devices, const std::string &actor, const std::string &reason,
                                std::uint64_t now) const {
        std::uint64_t ordered = 0;
        check(laps_vault_order_devices(object_, devices.get(), actor.data(), actor.size(), reason.data(), reason.size(), now,
                                       &ordered));
        return ordered;
    }
    /// Also for a retired device, whose order waits.
    bool is_ordered(const std::string &device) const {
        std::uint32_t ordered = 0;
        check(laps_vault_is_ordered(object_, device.data(), device.size(), &ordered));
        return ordered != 0;
    }
    std::uint64_t order_all(const std::string &actor, const std::string &reason, std::uint64_t now) const {
        std::uint64_t devices = 0;
        check(laps_vault_order_all(object_, actor.data(), actor.size(), reason.data(), reason.size(), now, &devices));
        return devices;
    }
    std::uint64_t order_overdue(const std::string &actor, const std::string &reason, std::uint64_t now) const {
        std::uint64_t devices = 0;
        check(laps_vault_order_overdue(object_, actor.data(), actor.size(), reason.data(), reason.size(), now, &devices));
        return devices;
    }
    std::uint64_t order_revealed_by(const std::string &whom, std::uint64_t since, const std::string &actor,
                                    const std::string &reason, std::uint64_t now) const {
        std::uint64_t devices = 0;
        check(laps_vault_order_revealed_by(object_, whom.data(), whom.size(), since, actor.data(), actor.size(), reason.data(),
                                           reason.size(), now, &devices));
        return devices;
    }
    void record_outcome(std::uint64_t entry, bool opened, const std::string &actor, const std::string &reason,
                        std::uint64_t now) const {
        check(laps_vault_record_outcome(object_, entry, opened, actor.data(), actor.size(), reason.data(), reason.size(), now));
    }
    /// Another scope of the file: open it with that scope first.
    void initialise(const std::vector<const Reader *> &readers, const std::string &actor, const std::string &reason,
                    std::uint64_t now) const {
        const std::vector<const laps_reader *> all = detail::pointers<Reader, laps_reader>(readers);
        check(laps_vault_initialise(object_, all.data(), all.size(), actor.data(), actor.size(), reason.data(), reason.size(),
                                    now));
    }
    Rows readers() const {
        laps_rows *made = nullptr;
        check(laps_vault_readers(object_, &made));
        return Rows(made);
    }
    void add_reader(const Reader &reader, const std::string &actor, const std::string &reason, std::uint64_t now) const {
        check(laps_vault_add_reader(object_, reader.get(), actor.data(), actor.size(), reason.data(), reason.size(), now));
    }
    /// reader_id is 32 bytes.
    std::uint64_t remove_reader(const std::uint8_t *reader_id, bool rotate, std::uint64_t rotate_within, bool confirm,
                                const std::string &actor, const std::string &reason, std::uint64_t now) const {
        std::uint64_t devices = 0;
        check(laps_vault_remove_reader(object_, reader_id, rotate, rotate_within, confirm, actor.data(), actor.size(),
                                       reason.data(), reason.size(), now, &devices));
        return devices;
    }
    /// What remove_reader() orders, when that was stopped after the removal. reader_id is 32 bytes.
    std::uint64_t order_readable(const std::uint8_t *reader_id, std::uint64_t within, const std::string &actor,
                                 const std::string &reason, std::uint64_t now) const {
        std::uint64_t devices = 0;
        check(laps_vault_order_readable(object_, reader_id, within, actor.data(), actor.size(), reason.data(), reason.size(), now,
                                        &devices));
        return devices;
    }
    /// What laps_vault_reseal() or laps_vault_take_resealed() did; the latter uses no key, so that none is not its own.
    struct Resealed {
        std::uint64_t replaced, not_ours;
        Rows failed;
    };
    Resealed reseal(const ReaderKey &key, const std::string &actor, const std::string &reason, std::uint64_t now) const {
        std::uint64_t replaced = 0, not_ours = 0;
        laps_rows *failed = nullptr;
        check(laps_vault_reseal(object_, key.get(), actor.data(), actor.size(), reason.data(), reason.size(), now, &replaced,
                                &not_ours, &failed));
        return Resealed{replaced, not_ours, Rows(failed)};
    }
    /// As above, and step is asked before each step whether to take it.
    Resealed reseal(const ReaderKey &key, const std::string &actor, const std::string &reason, std::uint64_t now,
                    const Step &step) const {
        detail::Called<Step> called(step);
        std::uint64_t replaced = 0, not_ours = 0;
        laps_rows *made = nullptr;
        laps_status status =
            laps_vault_reseal_watched(object_, key.get(), actor.data(), actor.size(), reason.data(), reason.size(), now,
                                      detail::laps_hpp_step, &called, &replaced, &not_ours, &made);
        Rows failed(made);
        check(status);
        called.again();
        return Resealed{replaced, not_ours, std::move(failed)};
    }
    /// A page of records to be sealed anew where the key is: bytes() is for Record::parse().
    Rows resealing(const std::string &after, std::size_t limit, const std::string &actor, const std::string &reason,
                   std::uint64_t now) const {
        laps_rows *made = nullptr;
        check(laps_vault_resealing(object_, after.data(), after.size(), limit, actor.data(), actor.size(), reason.data(),
                                   reason.size(), now, &made));
        return Rows(made);
    }
    Resealed take_resealed(const std::vector<const Record *> &resealed, const std::string &actor, const std::string &reason,
                           std::uint64_t now) const {
        const std::vector<const laps_record *> all = detail::pointers<Record, laps_record>(resealed);
        std::uint64_t replaced = 0;
        laps_rows *failed = nullptr;
        check(laps_vault_take_resealed(object_, all.data(), all.size(), actor.data(), actor.size(), reason.data(),
                                       reason.size(), now, &replaced, &failed));
        return Resealed{replaced, 0, Rows(failed)};
    }
    /// How many displaced records of a device are kept, and within how many days all are; 0 days are no such rule.
    std::pair<std::uint32_t, std::uint32_t> history() const {
        std::uint32_t records = 0, days = 0;
        check(laps_vault_history(object_, &records, &days));
        return std::make_pair(records, days);
    }
    void set_history(std::uint16_t records, std::uint16_t days, const std::string &actor, const std::string &reason,
                     std::uint64_t now) const {
        check(laps_vault_set_history(object_, records, days, actor.data(), actor.size(), reason.data(), reason.size(), now));
    }
    void retire(const std::string &device, const std::string &actor, const std::string &reason, std::uint64_t now) const {
        check(laps_vault_retire(object_, device.data(), device.size(), actor.data(), actor.size(), reason.data(), reason.size(),
                                now));
    }
    void re_enrol(const std::string &device, const std::string &actor, const std::string &reason, std::uint64_t now) const {
        check(laps_vault_re_enrol(object_, device.data(), device.size(), actor.data(), actor.size(), reason.data(),
                                  reason.size(), now));
    }
    void purge(const std::string &device, bool confirm, const std::string &actor, const std::string &reason,
               std::uint64_t now) const {
        check(laps_vault_purge(object_, device.data(), device.size(), confirm, actor.data(), actor.size(), reason.data(),
                               reason.size(), now));
    }
    /// record_id is 16 bytes.
    void remove_record(const std::string &device, const std::uint8_t *record_id, bool confirm, const std::string &actor,
                       const std::string &reason, std::uint64_t now) const {
        check(laps_vault_remove_record(object_, device.data(), device.size(), record_id, confirm, actor.data(), actor.size(),
                                       reason.data(), reason.size(), now));
    }
    Rows audit_entries(std::uint64_t after, std::size_t limit) const {
        laps_rows *made = nullptr;
        check(laps_vault_audit_entries(object_, after, limit, &made));
        return Rows(made);
    }
    std::string audit_head() const {
        const laps_vault *object = object_;
        return detail::text([object](char *buffer, std::size_t size, std::size_t *length) {
            return laps_vault_audit_head(object, buffer, size, length);
        });
    }
    /// What laps_vault_observed() tells: what happened, and how much before it was forgotten.
    struct Observed {
        std::uint64_t missed;
        Rows rows;
    };
    Observed observed() const {
        std::uint64_t missed = 0;
        laps_rows *made = nullptr;
        check(laps_vault_observed(object_, &missed, &made));
        return Observed{missed, Rows(made)};
    }
    void back_up(const std::string &path, const std::string &actor, const std::string &reason, std::uint64_t now) const {
        check(laps_vault_back_up(object_, path.data(), path.size(), actor.data(), actor.size(), reason.data(), reason.size(),
                                 now));
    }
    static Vault restore(const std::string &copy, const std::string &path, const std::string &scope, const std::string &actor,
                         const std::string &reason, std::uint64_t now) {
        laps_vault *made = nullptr;
        check(laps_vault_restore(copy.data(), copy.size(), path.data(), path.size(), scope.data(), scope.size(), actor.data(),
                                 actor.size(), reason.data(), reason.size(), now, &made));
        return Vault(made);
    }
    static void migrate(const std::string &path, bool keep, const std::string &actor, const std::string &reason,
                        std::uint64_t now) {
        check(laps_vault_migrate(path.data(), path.size(), keep, actor.data(), actor.size(), reason.data(), reason.size(), now));
    }
    /// As migrate(), and what it did.
    struct Migration {
        std::uint64_t schema_before, schema;
        std::string copy; ///< where the file from before is; empty where it was not kept
    };
    static Migration migrate_report(const std::string &path, bool keep, const std::string &actor, const std::string &reason,
                                    std::uint64_t now) {
        laps_rows *made = nullptr;
        check(laps_vault_migrate_report(path.data(), path.size(), keep, actor.data(), actor.size(), reason.data(),
                                        reason.size(), now, &made));
        Rows rows(made);
        return Migration{rows.number(0, LAPS_FIELD_SCHEMA_BEFORE), rows.number(0, LAPS_FIELD_SCHEMA),
                         rows.text(0, LAPS_FIELD_COPY)};
    }
    /// Which passwords of another directory the vault lacks for a device.
    Adoptable adoptable(const std::string &device, const Foreign &foreign) const {
        laps_adoptable *made = nullptr;
        check(laps_vault_adoptable(object_, device.data(), device.size(), foreign.get(), &made));
        return Adoptable(made);
    }
    /// Takes them in, sealed under their headers, in their order; expires is 0 where it is not known.
    std::uint64_t adopt(const std::string &device, const std::vector<const Record *> &adopted, std::uint64_t last_seen,
                        std::uint64_t expires, const std::string &actor, const std::string &reason, std::uint64_t now) const {
        const std::vector<const laps_record *> all = detail::pointers<Record, laps_record>(adopted);
        std::uint64_t count = 0;
        check(laps_vault_adopt(object_, device.data(), device.size(), all.data(), all.size(), last_seen, expires, actor.data(),
                               actor.size(), reason.data(), reason.size(), now, &count));
        return count;
    }
    Rows export_devices(const std::string &after, std::size_t limit, const std::string &actor, const std::string &reason,
                        std::uint64_t now) const {
        laps_rows *made = nullptr;
        check(laps_vault_export(object_, after.data(), after.size(), limit, actor.data(), actor.size(), reason.data(),
                                reason.size(), now, &made));
        return Rows(made);
    }
    std::uint64_t import_devices(const std::vector<std::uint8_t> &bytes, const std::string &actor, const std::string &reason,
                                 std::uint64_t now) const {
        std::uint64_t devices = 0;
        check(laps_vault_import(object_, bytes.data(), bytes.size(), actor.data(), actor.size(), reason.data(), reason.size(),
                                now, &devices));
        return devices;
    }
    /// As above, and progress is told how many of the bytes are taken in. What it throws is thrown when they all are.
    std::uint64_t import_devices(const std::vector<std::uint8_t> &bytes, const std::string &actor, const std::string &reason,
                                 std::uint64_t now, const Progress &progress) const {
        detail::Called<Progress> called(progress);
        std::uint64_t devices = 0;
        laps_status status =
            laps_vault_import_watched(object_, bytes.data(), bytes.size(), actor.data(), actor.size(), reason.data(),
                                      reason.size(), now, detail::laps_hpp_progress, &called, &devices);
        check(status);
        called.again();
        return devices;
    }
};
#endif

} // namespace laps

#endif
