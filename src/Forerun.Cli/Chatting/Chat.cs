using System.Collections.Immutable;
using System.Text;
using Forerun.Cli.Running;
using Forerun.Core.Decoding;
using Forerun.Inference;

namespace Forerun.Cli.Chatting;

/// <summary>A conversation: a line in, an answer or a command's effect out.</summary>
/// <param name="setup">Who answers.</param>
/// <param name="request">Makes a request of prompt tokens.</param>
/// <param name="conversation">The turns so far.</param>
/// <param name="screen">What the user sees.</param>
/// <param name="interruption">Stops answers.</param>
internal sealed class Chat(
    EdgeSetup setup,
    Func<ImmutableArray<int>, GenerationRequest> request,
    Conversation conversation,
    ChatScreen screen,
    Interruption interruption)
{
    private readonly GenerationRun _run = new(setup.Decoder, setup.Draft.Tokenizer, setup.Draft.Name);
    private readonly ChatStatistics _statistics = new();
    private int _unansweredCount;

    /// <summary>Runs until the input ends or the user leaves; fails where a question got no answer.</summary>
    public async Task<int> RunAsync(TextReader input)
    {
        screen.Note($"{setup.ModelName}, {ModeNames.Of(setup.Mode)}. /help lists the commands.");
        do
        {
            screen.Prompt();
        }
        while (await input.ReadLineAsync() is { } line && await TakeAsync(line.Trim()));
        return _unansweredCount > 0 ? ExitCodes.Failure : ExitCodes.Success;
    }

    /// <summary>Takes in a line; false ends the chat.</summary>
    private async Task<bool> TakeAsync(string line)
    {
        var (command, rest) = line.Split(' ', 2) is [var first, var second] ? (first, second.Trim()) : (line, "");
        switch (command)
        {
            case "":
                break;
            case "/quit":
                return false;
            case "/help":
                screen.ShowHelp();
                break;
            case "/reset":
                conversation.Reset();
                screen.Note("The conversation starts anew.");
                break;
            case "/system":
                conversation.Reset();
                conversation.System = rest.Length == 0 ? null : rest;
                screen.Note("The conversation starts anew with this in mind.");
                break;
            case "/stats":
                screen.Show(_statistics);
                break;
            case "/colors":
                ToggleColors();
                break;
            case "/retry" when conversation.Unanswered is { } question:
                _unansweredCount--;
                await AnswerAsync(question);
                break;
            case "/retry":
                screen.Error("Every question has its answer: there is nothing to ask again.");
                break;
            case ['/', ..]:
                screen.Error($"There is no command {command}. /help lists them.");
                break;
            default:
                await AnswerAsync(line);
                break;
        }

        return true;
    }

    private void ToggleColors()
    {
        screen.HasColors = !screen.HasColors;
        if (screen.HasColors)
        {
            screen.ShowColors();
        }
        else
        {
            screen.Note("Colours are off.");
        }
    }

    private async Task AnswerAsync(string question)
    {
        conversation.Unanswered = question;
        var answer = new StringBuilder();
        try
        {
            await interruption.RunAsync(token => AnswerAsync(question, answer, token));
        }
        catch (OperationCanceledException)
        {
            screen.Break();
            Keep(question, answer);
        }
        catch (Exception exception) when (Failures.IsExpected(exception))
        {
            _unansweredCount++;
            screen.Break();
            screen.Error(exception.Message);
            screen.Note($"The conversation of {conversation.Turns} turns is kept. /retry asks again.");
        }
    }

    private async Task AnswerAsync(string question, StringBuilder answer, CancellationToken cancellationToken)
    {
        var prompt = Prompt.Chat(setup.Draft.Text, conversation.Ask(question));
        screen.Begin();
        var report = await _run.RunAsync(
            setup.ModelName,
            request(prompt),
            update =>
            {
                answer.Append(update.Text);
                screen.Show(update);
            },
            cancellationToken);
        screen.End(report);
        _statistics.Add(report);
        conversation.Add(question, answer.ToString());
    }

    /// <summary>What was said before the stop stays said; a question without any answer may be asked again.</summary>
    private void Keep(string question, StringBuilder answer)
    {
        if (answer.Length == 0)
        {
            _unansweredCount++;
            screen.Note("Stopped. /retry asks again.");
            return;
        }

        conversation.Add(question, answer.ToString());
        screen.Note("Stopped.");
    }
}
