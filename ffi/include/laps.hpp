// laps.hpp - laps.h for C++11 and later: objects that free themselves, errors that are thrown.
//
// Every class owns one object of the C library and can be moved but not copied, so nothing is freed twice. get() lends the
// pointer for calls that have no wrapper here; release() gives it away. A call that fails throws laps::Error.
#ifndef LAPS_HPP
#define LAPS_HPP

#include <cstddef>
#include <cstdint>
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

class Password : public Object<laps_password, laps_password_free> {
public:
    using Object::Object;
    static Password from_utf8(const char *text, std::size_t length) {
        laps_password *made = nullptr;
        check(laps_password_from_utf8(text, length, &made));
        return Password(made);
    }
    std::size_t size() const noexcept { return laps_password_len(object_); }
    /// A copy that wipes itself.
    Wiped<char> expose() const {
        Wiped<char> copy(LAPS_PASSWORD_MAX_LEN + 1);
        std::size_t length = 0;
        check(laps_password_copy_utf8(object_, copy.data(), copy.capacity(), &length));
        copy.resize(length);
        return copy;
    }
    /// A copy in UTF-16, as Windows wants it, that wipes itself.
    Wiped<std::uint16_t> expose_utf16() const {
        Wiped<std::uint16_t> copy(LAPS_PASSWORD_MAX_LEN + 1);
        std::size_t length = 0;
        check(laps_password_copy_utf16(object_, copy.data(), copy.capacity(), &length));
        copy.resize(length);
        return copy;
    }
    bool equals(const Password &other) const noexcept { return laps_password_equal(object_, other.object_); }
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
    std::uint64_t bits_micro() const noexcept { return laps_recipe_bits_micro(object_); }
    std::string admissible() const {
        const laps_recipe *object = object_;
        return detail::text([object](char *buffer, std::size_t size, std::size_t *length) {
            return laps_recipe_admissible(object, buffer, size, length);
        });
    }
};

class Policy : public Object<laps_policy, laps_policy_free> {
public:
    using Object::Object;
    static Policy read(const std::string &document) {
        laps_policy *made = nullptr;
        check(laps_policy_read(reinterpret_cast<const std::uint8_t *>(document.data()), document.size(), &made));
        return Policy(made);
    }
    Recipe recipe() const {
        laps_recipe *made = nullptr;
        check(laps_policy_recipe(object_, &made));
        return Recipe(made);
    }
    std::string account_name() const {
        const laps_policy *object = object_;
        return detail::text([object](char *buffer, std::size_t size, std::size_t *length) {
            return laps_policy_administrator_account_name(object, buffer, size, length);
        });
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
};

class Header : public Object<laps_header, laps_header_free> {
public:
    Header(Generator &generator, const std::string &device, const std::string &account) {
        check(laps_header_new(generator.get(), device.data(), device.size(), account.data(), account.size(), &object_));
    }
};

class Record : public Object<laps_record, laps_record_free> {
public:
    using Object::Object;
    static Record seal(const Header &header, const Password &password, const std::vector<const Reader *> &readers,
                       Generator &generator) {
        std::vector<const laps_reader *> pointers;
        for (const Reader *reader : readers) pointers.push_back(reader->get());
        laps_record *made = nullptr;
        check(laps_record_seal(header.get(), password.get(), pointers.data(), pointers.size(), generator.get(), &made));
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
};

typedef Object<laps_accounts, laps_accounts_free> Accounts;
typedef Object<laps_bytes, laps_bytes_free> Bytes;
typedef Object<laps_config, laps_config_free> Config;
typedef Object<laps_evaluation, laps_evaluation_free> Evaluation;
typedef Object<laps_event, laps_event_free> Event;
typedef Object<laps_rotation, laps_rotation_free> Rotation;
typedef Object<laps_violations, laps_violations_free> Violations;

#ifdef LAPS_FULL
typedef Object<laps_disclosure, laps_disclosure_free> Disclosure;
typedef Object<laps_vault, laps_vault_free> Vault;

class ReaderKey : public Object<laps_reader_key, laps_reader_key_free> {
public:
    ReaderKey(Generator &generator, std::uint16_t suite, const std::string &name) {
        check(laps_reader_key_new(generator.get(), suite, name.data(), name.size(), &object_));
    }
    Reader reader() const {
        laps_reader *made = nullptr;
        check(laps_reader_key_reader(object_, &made));
        return Reader(made);
    }
    Password open(const Record &record) const {
        laps_password *made = nullptr;
        check(laps_reader_key_open(object_, record.get(), &made));
        return Password(made);
    }
};
#endif

} // namespace laps

#endif
