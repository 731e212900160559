using Forerun.Cloud;
using Forerun.Edge;
using Forerun.Edge.Generation;
using Forerun.OpenAI;
using Forerun.UnitTests.Cloud;

namespace Forerun.EndToEndTests;

/// <summary>Both endpoints: a server with the tiny target, and an edge that drafts for it.</summary>
public sealed class OpenAIFixture : IAsyncLifetime
{
    public const string AtServer = "server";
    public const string AtEdge = "edge";

    private ForerunServer? _server;
    private ForerunEdge? _edge;
    private OpenAIServer? _serverHttp;
    private OpenAIServer? _edgeHttp;

    public static TheoryData<string> Endpoints => [AtServer, AtEdge];

    public static string Model => ChatModels.Target.Id;

    public ForerunServer Server => _server!;

    public Uri Address(string endpoint) => (endpoint == AtServer ? _serverHttp! : _edgeHttp!).Addresses[0];

    public static Task<OpenAIServer> ListenAsync(TextGenerator generator) =>
        OpenAIServer.StartAsync(generator, new() { Urls = ["http://127.0.0.1:0"] }, Deadline.Token);

    public async ValueTask InitializeAsync()
    {
        _server = await ServerFixture.StartAsync(ChatModels.Target);
        _edge = ForerunEdge.Load(new()
        {
            Server = _server.Addresses[0],
            DraftModelPath = ChatModels.DraftPath,
            Engine = new() { Threads = 1 },
        });
        _serverHttp = await ListenAsync(new TextGenerator(_server.Verifier, ChatModels.Target.TextFormat));
        _edgeHttp = await ListenAsync(_edge.Generator);
    }

    public async ValueTask DisposeAsync()
    {
        await ServerFixture.AssertNoSessionsAsync(Server);
        await _edgeHttp!.DisposeAsync();
        await _serverHttp!.DisposeAsync();
        _edge!.Dispose();
        await Server.DisposeAsync();
    }
}
