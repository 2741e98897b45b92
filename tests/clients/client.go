// The client with gorilla/websocket. `main.rs` says what it does.
package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

var (
	text   = []byte(strings.Repeat("harpia ", 6000))
	binary = make([]byte, 40960)
)

func connect() (*websocket.Conn, string) {
	dialer := websocket.Dialer{EnableCompression: os.Args[2] == "deflate"}
	connection, response, err := dialer.Dial(os.Args[1], nil)
	check(err)
	// The library does not name the extension. It compresses if this header names it.
	extension, _, _ := strings.Cut(response.Header.Get("Sec-WebSocket-Extensions"), ";")
	if extension == "" {
		extension = "none"
	}
	return connection, extension
}

func echo(connection *websocket.Conn, kind int, message []byte) []byte {
	check(connection.WriteMessage(kind, message))
	received, answer, err := connection.ReadMessage()
	check(err)
	if received != kind {
		log.Fatal("a message of another kind")
	}
	return answer
}

func long(connection *websocket.Conn, kind int, message []byte) string {
	answer := echo(connection, kind, message)
	if !bytes.Equal(answer, message) {
		return fmt.Sprintf("%d bytes, changed", len(answer))
	}
	return fmt.Sprintf("%d bytes, as sent", len(answer))
}

// Waits for the server's close frame. The library has sent or answered it by then.
func closed(connection *websocket.Conn) *websocket.CloseError {
	_, _, err := connection.ReadMessage()
	var closed *websocket.CloseError
	if !errors.As(err, &closed) {
		log.Fatal("no close frame: ", err)
	}
	check(connection.Close())
	return closed
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	for index := range binary {
		binary[index] = byte(index)
	}
	connection, extension := connect()
	fmt.Println("extension:", extension)
	fmt.Printf("text: %s\n", echo(connection, websocket.TextMessage, []byte("Grüße 🌿")))
	bytes := []byte{0x00, 0xff, 0x7f, 0x80}
	answer := echo(connection, websocket.BinaryMessage, bytes)
	fmt.Println("binary:", hex.EncodeToString(answer))
	fmt.Println("long text:", long(connection, websocket.TextMessage, text))
	fmt.Println("long binary:", long(connection, websocket.BinaryMessage, binary))
	frame := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "done")
	deadline := time.Now().Add(10 * time.Second)
	check(connection.WriteControl(websocket.CloseMessage, frame, deadline))
	fmt.Println("closed by the client:", closed(connection).Code)

	connection, _ = connect()
	check(connection.WriteMessage(websocket.TextMessage, []byte("close")))
	end := closed(connection)
	fmt.Println("closed by the server:", end.Code, end.Text)
}
