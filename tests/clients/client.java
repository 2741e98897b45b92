// The client with Netty. `main.rs` says what it does.

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.websocketx.*;
import io.netty.handler.codec.http.websocketx.extensions.WebSocketClientExtensionHandler;
import io.netty.handler.codec.http.websocketx.extensions.compression.*;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.PrintStream;
import java.net.URI;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

class Client extends ChannelInitializer<SocketChannel> {
    private static final int LIMIT = 65536;
    private static final Object OPENED =
            WebSocketClientProtocolHandler.ClientHandshakeStateEvent.HANDSHAKE_COMPLETE;

    private final URI url;
    private final boolean deflates;
    /** The extension, {@code OPENED}, then the frames that arrive, or an error. */
    private final BlockingQueue<Object> events = new LinkedBlockingQueue<>();

    private Client(String[] arguments) {
        url = URI.create(arguments[0]);
        deflates = arguments[1].equals("deflate");
    }

    @Override
    protected void initChannel(SocketChannel channel) {
        WebSocketClientHandshaker handshaker = WebSocketClientHandshakerFactory.newHandshaker(
                url, WebSocketVersion.V13, null, true, new DefaultHttpHeaders(), LIMIT);
        ChannelPipeline pipeline = channel.pipeline();
        pipeline.addLast(new HttpClientCodec(), new HttpObjectAggregator(LIMIT), new Extension());
        if (deflates) {
            // The library's default is to refuse a server that compresses each message by itself.
            // The last two arguments allow that for the client's messages and for the server's.
            pipeline.addLast(new WebSocketClientExtensionHandler(
                    new PerMessageDeflateClientExtensionHandshaker(6, false, 15, true, true)));
        }
        // Passes close frames on instead of answering them, so that they can be printed.
        pipeline.addLast(new WebSocketClientProtocolHandler(handshaker, false));
        pipeline.addLast(new WebSocketFrameAggregator(LIMIT), new Receiver());
    }

    /** Sees the response to the handshake before other handlers do. */
    private class Extension extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            if (message instanceof FullHttpResponse) {
                String header = ((FullHttpResponse) message).headers()
                        .get("Sec-WebSocket-Extensions", "none");
                events.add(header.split(";")[0]);
            }
            context.fireChannelRead(message);
        }
    }

    private class Receiver extends ChannelInboundHandlerAdapter {
        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event == OPENED) {
                events.add(event);
            }
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            events.add(message);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable error) {
            events.add(error);
        }
    }

    private <T> T next(Class<T> type) throws Exception {
        Object event = events.take();
        if (event instanceof Throwable) {
            throw new Exception((Throwable) event);
        }
        return type.cast(event);
    }

    /** Waits for the end of the handshake; returns the extension. */
    private String opened() throws Exception {
        String extension = next(String.class);
        next(OPENED.getClass());
        return extension;
    }

    private String echo(Channel channel, String text) throws Exception {
        channel.writeAndFlush(new TextWebSocketFrame(text)).sync();
        return next(TextWebSocketFrame.class).text();
    }

    private byte[] echo(Channel channel, byte[] binary) throws Exception {
        channel.writeAndFlush(new BinaryWebSocketFrame(Unpooled.copiedBuffer(binary))).sync();
        return ByteBufUtil.getBytes(next(BinaryWebSocketFrame.class).content());
    }

    private static String verdict(int length, boolean isSame) {
        return length + " bytes, " + (isSame ? "as sent" : "changed");
    }

    private void exchange(Channel channel, PrintStream out) throws Exception {
        out.println("text: " + echo(channel, "Grüße 🌿"));
        byte[] bytes = echo(channel, new byte[] {0, (byte) 0xff, 0x7f, (byte) 0x80});
        out.println("binary: " + ByteBufUtil.hexDump(bytes));
        String text = "harpia ".repeat(6000);
        String answer = echo(channel, text);
        out.println("long text: " + verdict(answer.length(), answer.equals(text)));
        byte[] binary = new byte[40960];
        for (int index = 0; index < binary.length; index++) {
            binary[index] = (byte) index;
        }
        bytes = echo(channel, binary);
        out.println("long binary: " + verdict(bytes.length, Arrays.equals(bytes, binary)));
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        Client client = new Client(arguments);
        // The thread is a daemon, so the program ends with this method.
        NioEventLoopGroup group =
                new NioEventLoopGroup(1, new DefaultThreadFactory("netty", true));
        Bootstrap bootstrap = new Bootstrap()
                .group(group).channel(NioSocketChannel.class).handler(client)
                .remoteAddress(client.url.getHost(), client.url.getPort());

        Channel channel = bootstrap.connect().sync().channel();
        out.println("extension: " + client.opened());
        client.exchange(channel, out);
        channel.writeAndFlush(new CloseWebSocketFrame(1000, "done")).sync();
        CloseWebSocketFrame closed = client.next(CloseWebSocketFrame.class);
        out.println("closed by the client: " + closed.statusCode());
        channel.closeFuture().sync();

        channel = bootstrap.connect().sync().channel();
        client.opened();
        channel.writeAndFlush(new TextWebSocketFrame("close")).sync();
        closed = client.next(CloseWebSocketFrame.class);
        out.println("closed by the server: " + closed.statusCode() + " " + closed.reasonText());
        channel.writeAndFlush(closed).sync();
        channel.closeFuture().sync();
    }
}
