// The client with WebSocket++. `main.rs` says what it does.

#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>

#include <websocketpp/client.hpp>
#include <websocketpp/config/asio_no_tls_client.hpp>
#include <websocketpp/extensions/permessage_deflate/enabled.hpp>

using websocketpp::connection_hdl;
namespace opcode = websocketpp::frame::opcode;

// Without this, the library offers no extension.
struct Deflating : websocketpp::config::asio_client {
    struct permessage_deflate_config {};
    typedef websocketpp::extensions::permessage_deflate::enabled<permessage_deflate_config>
        permessage_deflate_type;
};

const std::string text = "Grüße 🌿";
const std::string binary("\x00\xff\x7f\x80", 4);

std::string long_text() {
    std::string text;
    for (int word = 0; word < 6000; word++) text += "harpia ";
    return text;
}

std::string long_binary() {
    std::string binary;
    for (int byte = 0; byte < 40960; byte++) binary += static_cast<char>(byte);
    return binary;
}

std::string hex(std::string const& bytes) {
    std::ostringstream out;
    for (unsigned char byte : bytes) out << std::hex << std::setfill('0') << std::setw(2) << +byte;
    return out.str();
}

std::string verdict(std::string const& answer, bool is_same) {
    return std::to_string(answer.size()) + " bytes, " + (is_same ? "as sent" : "changed");
}

template <typename Config>
struct Talk {
    typedef websocketpp::client<Config> Client;

    std::string url;
    Client client;
    int answers = 0;
    bool is_second = false;

    explicit Talk(std::string url) : url(url) {
        client.clear_access_channels(websocketpp::log::alevel::all);
        client.init_asio();
        client.set_open_handler([this](connection_hdl handle) { open(handle); });
        client.set_message_handler(
            [this](connection_hdl handle, typename Client::message_ptr message) {
                receive(handle, message->get_opcode(), message->get_payload());
            });
        client.set_close_handler([this](connection_hdl handle) { closed(handle); });
        client.set_fail_handler([this](connection_hdl handle) {
            std::cerr << client.get_con_from_hdl(handle)->get_ec().message() << std::endl;
            std::exit(1);
        });
    }

    void connect() {
        websocketpp::lib::error_code error;
        client.connect(client.get_connection(url, error));
    }

    void open(connection_hdl handle) {
        if (is_second) {
            client.send(handle, "close", opcode::text);
            return;
        }
        auto connection = client.get_con_from_hdl(handle);
        std::string header = connection->get_response_header("Sec-WebSocket-Extensions");
        std::string name = header.substr(0, header.find(';'));
        std::cout << "extension: " << (name.empty() ? "none" : name) << std::endl;
        client.send(handle, text, opcode::text);
    }

    void receive(connection_hdl handle, opcode::value kind, std::string const& answer) {
        bool is_text = kind == opcode::text;
        switch (++answers) {
        case 1:
            std::cout << "text: " << answer << std::endl;
            client.send(handle, binary, opcode::binary);
            break;
        case 2:
            std::cout << "binary: " << hex(answer) << std::endl;
            client.send(handle, long_text(), opcode::text);
            break;
        case 3:
            std::cout << "long text: " << verdict(answer, is_text && answer == long_text())
                      << std::endl;
            client.send(handle, long_binary(), opcode::binary);
            break;
        default:
            std::cout << "long binary: " << verdict(answer, !is_text && answer == long_binary())
                      << std::endl;
            client.close(handle, websocketpp::close::status::normal, "done");
        }
    }

    void closed(connection_hdl handle) {
        auto connection = client.get_con_from_hdl(handle);
        auto code = connection->get_remote_close_code();
        if (is_second) {
            std::cout << "closed by the server: " << code << " "
                      << connection->get_remote_close_reason() << std::endl;
            return;
        }
        std::cout << "closed by the client: " << code << std::endl;
        is_second = true;
        connect();
    }
};

template <typename Config>
void run(std::string url) {
    Talk<Config> talk(url);
    talk.connect();
    talk.client.run();
}

int main(int, char** arguments) {
    if (std::string(arguments[2]) == "deflate")
        run<Deflating>(arguments[1]);
    else
        run<websocketpp::config::asio_client>(arguments[1]);
}
