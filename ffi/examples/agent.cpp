// The agent of agent.c in C++: objects free themselves, errors are thrown. The arguments and the exit status are the same.
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>

#include <laps.hpp>

#include "account_file.h"

namespace {

const laps::Agent *running;

extern "C" void stop(int) { running->stop(); }

std::string load(const std::string &path) {
    std::ifstream file(path.c_str(), std::ios::binary);
    if (!file) throw std::runtime_error(path + " cannot be read");
    return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

/// An account store of your own, over the functions of account_file.h.
laps::AccountCalls file_store(const std::string &path) {
    laps::AccountCalls store;
    store.find = [](const std::string &name, laps::Accounts &accounts) {
        accounts.add(name, "", true);
        return std::uint32_t(LAPS_ACCOUNT_PRESENT);
    };
    store.set = [path](const std::string &account, const laps_password *password) {
        return account_file.set(const_cast<char *>(path.c_str()), account.c_str(), password);
    };
    store.verify = [path](const std::string &account, const laps_password *password) {
        return account_file.verify(const_cast<char *>(path.c_str()), account.c_str(), password);
    };
    return store;
}

int run(const std::vector<std::string> &arguments, bool stay) {
    static const int exit_status[] = {1, 0, 0, 8, 4, 7}; // of LAPS_OUTCOME_*
    const std::string &device = arguments[2], &store = arguments[3];
    const laps::Reader reader = laps::Reader::parse(load(arguments[4]));
    const laps::Vault vault = laps::Vault::open(arguments[5], "");
    laps::AgentOptions options(device, arguments[1]);
    options.add_policy_file(arguments[0]);
    options.set_readers({&reader});
    if (store.compare(0, 5, "file:") == 0)
        options.set_store(file_store(store.substr(5)));
    else
        options.set_store(store);
    // Your transport goes here; it authenticates the device.
    options.set_channel([&](const std::uint8_t *check_in, std::size_t length) {
        return vault.check_in(device, check_in, length, std::uint64_t(std::time(nullptr)));
    });
    options.set_on_event([](const laps::Event &event) { std::cout << event.json() << std::endl; });
    const laps::Agent agent(options);
    running = &agent;
    std::signal(SIGTERM, stop);
    std::signal(SIGINT, stop);
    if (stay) agent.run(3600);
    const std::uint32_t outcome = stay ? LAPS_OUTCOME_NOTHING_DUE : agent.run_once();
    std::signal(SIGTERM, SIG_DFL);
    std::signal(SIGINT, SIG_DFL);
    return exit_status[outcome];
}

} // namespace

int main(int argc, char **argv) {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    const bool stay = !arguments.empty() && arguments[0] == "--stay";
    if (stay) arguments.erase(arguments.begin());
    if (arguments.size() != 6) {
        std::cerr << "usage: agent [--stay] POLICY STATE DEVICE STORE READER VAULT\n";
        return 2;
    }
    try {
        return run(arguments, stay);
    } catch (const laps::Error &error) {
        std::cerr << "agent: " << error.what() << "\n";
        return error.status() == LAPS_STATUS_POLICY_REFUSED ? 3 : error.status() == LAPS_STATUS_BUSY ? 7 : 1;
    } catch (const std::exception &error) {
        std::cerr << "agent: " << error.what() << "\n";
        return 1;
    }
}
