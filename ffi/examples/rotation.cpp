// The device agent of rotation.c in C++: objects free themselves, errors are thrown, passwords wipe themselves.
//
//   rotation [--stay] POLICY STATE DEVICE ACCOUNT READER VAULT [FILE]
//
// The arguments, the exit status and what a product adds are those of rotation.c; files, lock and account are in account.h.
#ifndef _WIN32
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE
#endif
#endif
#include "account.h"

#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <laps.hpp>

namespace {

/// A whole file; throws where it cannot be read.
std::string load(const std::string &path) {
    std::vector<std::uint8_t> bytes(1048576);
    const long length = read_file(path.c_str(), bytes.data(), bytes.size());
    if (length < 0) throw std::runtime_error(path + " cannot be read");
    return std::string(bytes.begin(), bytes.begin() + length);
}

/// A file that is there and cannot be opened counts as there: reading it then says why.
bool exists(const std::string &path) {
    FILE *file = std::fopen(path.c_str(), "rb");
    if (file == nullptr) return errno != ENOENT;
    std::fclose(file);
    return true;
}

/// What a policy asks for, and how it was written.
struct Asked {
    Asked(const std::string &text, const std::string &device, const std::string &account, bool can_verify)
        : document(text), policy(laps::Policy::read(text)), recipe(policy.recipe()), config(policy, device, account) {
        config.set_can_verify(can_verify);
        if (*account_sid() != '\0') config.set_sid(account_sid());
    }
    std::string document;
    laps::Policy policy;
    laps::Recipe recipe;
    laps::Config config;
};

class Agent {
public:
    explicit Agent(const std::vector<std::string> &arguments)
        : policy_path_(arguments[0]), state_path_(arguments[1]), device_(arguments[2]), account_(arguments[3]),
          reader_(laps::Reader::parse(load(arguments[4]))), vault_(laps::Vault::open(arguments[5], "")),
          file_(arguments.size() > 6 ? arguments[6] : "") {
        if (file_.empty() && !open_accounts(state_path_.c_str())) throw std::runtime_error(laps_last_error());
        look_up(account_.c_str());
    }
    ~Agent() { laps_account_store_free(machine); }
    Agent(const Agent &) = delete;
    Agent &operator=(const Agent &) = delete;

    /// The policy of the file, or the last one that was accepted. False when there is neither.
    bool load_policy() {
        changed_ = false;
        if (take_policy(policy_path_)) {
            const std::string kept = state_path_ + ".policy";
            const std::string &text = asked_->document;
            if (changed_ && !write_file(kept.c_str(), reinterpret_cast<const std::uint8_t *>(text.data()), text.size()))
                std::cerr << "rotation: " << kept << " cannot be written\n";
            return true;
        }
        return asked_ != nullptr || take_policy(state_path_ + ".policy");
    }

    /// The rotation as it was written last.
    void start(bool stay) {
        rotation_ = resume();
        if (!stay) rotation_.skip_back_off(now());
    }

    /// Does what is wished until there is only waiting left; until when.
    std::uint64_t run() {
        for (;;) {
            show_events();
            const laps::Wish wish = rotation_.poll();
            switch (wish.wish) {
            case LAPS_WISH_SAVE: save(); break;
            case LAPS_WISH_LOOK_UP: look(); break;
            case LAPS_WISH_CHECK_IN: check_in(); break;
            case LAPS_WISH_PREPARE: prepare(); break;
            case LAPS_WISH_READ_STAMP: stamp(); break;
            case LAPS_WISH_APPLY:
                rotation_.handle_applied(set_password(file(), rotation_.password()), generator_, now());
                break;
            case LAPS_WISH_VERIFY:
                rotation_.handle_verified(ask_account(file(), rotation_.password()), generator_, now());
                break;
            case LAPS_WISH_ACT: rotation_.handle_acted(act(static_cast<std::uint32_t>(wish.value)), now()); break;
            default: return wish.value;
            }
        }
    }

    /// Waits, looks at the policy every minute, and goes on.
    void wait(std::uint64_t until) {
        wait_seconds(until <= now() ? 0 : until - now() < 60 ? static_cast<unsigned>(until - now()) : 60);
        if (load_policy() && changed_) rotation_.handle_config(asked_->config, now());
        rotation_.handle_timeout(now());
    }

    bool is_due() const { return rotation_.is_due(); }

private:
    const char *file() const { return file_.empty() ? nullptr : file_.c_str(); }

    bool take_policy(const std::string &path) {
        try {
            std::unique_ptr<Asked> read(new Asked(load(path), device_, account_, accounts_can_be_asked()));
            changed_ = asked_ == nullptr || asked_->policy.hash() != read->policy.hash();
            asked_ = std::move(read);
            return true;
        } catch (const std::exception &error) { // refused: told, and nothing changes
            std::cerr << "rotation: " << path << ": " << error.what() << '\n';
            return false;
        }
    }

    /// Only where no state was ever written, or it is damaged, does a rotation start from nothing.
    laps::Rotation resume() const {
        std::uint8_t stamped[32]; // it says what a run that was killed did
        if (exists(state_path_)) {
            try {
                return laps::Rotation::resume(asked_->config, load(state_path_), change_stamp(stamped), now());
            } catch (const laps::Error &error) {
                if (error.status() != LAPS_STATUS_JOURNAL_MALFORMED) throw;
            }
        }
        return laps::Rotation::start(asked_->config, now());
    }

    void show_events() {
        for (laps::Event event = rotation_.poll_event(); event; event = rotation_.poll_event())
            std::cout << "{\"time\":" << event.at() << ",\"name\":\"" << event.name() << "\",\"id\":" << event.id()
                      << ",\"version\":" << event.version() << ",\"reason\":\"" << event.reason() << "\"}\n"
                      << std::flush;
    }

    void save() {
        const laps::Bytes state = rotation_.state();
        if (write_file(state_path_.c_str(), state.data(), state.size()))
            rotation_.handle_saved();
        else
            rotation_.handle_save_failed(generator_, now());
    }

    /// Your transport goes where the vault is asked; it authenticates the device.
    void check_in() {
        const laps::Bytes message = rotation_.check_in(generator_);
        try {
            const laps::Bytes answer = vault_.check_in(device_, message.data(), message.size(), now());
            rotation_.handle_answer(answer.data(), answer.size(), generator_, now());
        } catch (const laps::Error &error) {
            std::cerr << "rotation: " << error.what() << '\n';
            rotation_.handle_check_in_failed(generator_, now());
        }
    }

    /// These readers never change.
    void look() {
        std::uint8_t stamped[32];
        const std::uint32_t seen = look_up(account_.c_str());
        rotation_.handle_account(seen, seen == LAPS_ACCOUNT_PRESENT ? change_stamp(stamped) : nullptr, now());
        rotation_.handle_readers({&reader_}, now());
    }

    void prepare() {
        std::uint8_t stamped[32];
        try {
            rotation_.prepare(generator_, asked_->recipe, {&reader_}, change_stamp(stamped), now());
        } catch (const laps::Error &error) { // the rotation knows, and waits
            std::cerr << "rotation: " << error.what() << '\n';
        }
    }

    void stamp() {
        std::uint8_t stamped[32];
        try {
            rotation_.handle_stamp(change_stamp(stamped), now());
        } catch (const laps::Error &error) { // the device slept: the password's time is over, and the next wish says more
            if (error.status() != LAPS_STATUS_UNEXPECTED_EVENT) throw;
        }
    }

    std::string policy_path_, state_path_, device_, account_;
    laps::Reader reader_;
    laps::Vault vault_;
    std::string file_;
    laps::Generator generator_;
    std::unique_ptr<Asked> asked_;
    laps::Rotation rotation_;
    bool changed_ = false;
};

} // namespace

int main(int argc, char **argv) {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    const bool stay = !arguments.empty() && arguments[0] == "--stay";
    if (stay) arguments.erase(arguments.begin());
    if (arguments.size() < 6 || arguments.size() > 7) {
        std::cerr << "usage: rotation [--stay] POLICY STATE DEVICE ACCOUNT READER VAULT [FILE]\n";
        return 2;
    }
    if (!lock_state(arguments[1].c_str())) {
        std::cerr << "rotation: another agent has " << arguments[1] << '\n';
        return 7;
    }
    try {
        Agent agent(arguments);
        if (!agent.load_policy()) return 3;
        agent.start(stay);
        std::uint64_t until = agent.run();
        while (stay) {
            agent.wait(until);
            until = agent.run();
        }
        return agent.is_due() ? 8 : 0;
    } catch (const std::exception &error) {
        std::cerr << "rotation: " << error.what() << '\n';
        return 1;
    }
}
