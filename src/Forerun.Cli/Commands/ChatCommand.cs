using System.CommandLine;
using Forerun.Cli.Chatting;
using Forerun.Cli.Running;

namespace Forerun.Cli.Commands;

/// <summary><c>forerun chat</c>: a conversation in the terminal, or one line per turn from a pipe.</summary>
internal static class ChatCommand
{
    /// <summary>Its name on the command line.</summary>
    public const string Name = "chat";

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var options = new CommonOptions();
        options.MaxTokens.DefaultValueFactory = _ => 512;
        var edge = new EdgeOptions();
        var system = new Option<string?>("--system") { Description = "What the model is told before the conversation." };
        var colors = new Option<bool>("--colors") { Description = "Colour accepted, recovered and bonus tokens." };
        var command = new Command(Name, "Chat with the target: through a server, or wholly on this machine without --server.")
        {
            system, colors, options.Model,
        };
        edge.AddTo(command, options, needsServer: false);
        foreach (var option in options.Generation.Where(option => option != options.Raw))
        {
            command.Add(option);
        }

        options.AddEngine(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var setup = await EdgeSetup.LoadAsync(parsed, edge, options, emulated: null, targetId: "", cancellationToken);
            using var interruption = new Interruption();
            var screen = new ChatScreen(Terminal.Output(), Terminal.Errors(), setup.Draft.Tokenizer)
            {
                HasColors = parsed.GetValue(colors),
                IsJson = parsed.GetValue(options.Json),
            };
            var chat = new Chat(
                setup,
                prompt => options.Request(parsed, prompt, setup.Mode),
                new Conversation { System = parsed.GetValue(system) },
                screen,
                interruption);
            return await chat.RunAsync(Console.In);
        });
        return command;
    }
}
