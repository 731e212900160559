using System.Text.Json;
using Forerun.Cli.Running;
using Forerun.Edge.Generation;
using Forerun.Inference.Tokenization;
using Spectre.Console;

namespace Forerun.Cli.Chatting;

/// <summary>What the user sees: answers on standard output, all the rest on standard error.</summary>
/// <param name="output">Receives answers.</param>
/// <param name="errors">Receives notes, figures and errors.</param>
/// <param name="tokenizer">Tells the tokens' pieces of text apart.</param>
internal sealed class ChatScreen(IAnsiConsole output, IAnsiConsole errors, Tokenizer tokenizer)
{
    private const string Help = """
        /help          this
        /reset         forget the conversation; what /system told stays
        /system TEXT   tell the model something before the conversation, and start it anew; no TEXT = nothing
        /retry         ask again what got no answer
        /stats         figures of all answers so far
        /colors        colour accepted, recovered and bonus tokens, or stop it
        /quit          leave
        Ctrl+C stops an answer; a second one, or one at the prompt, leaves.
        """;

    private static readonly Style Quiet = new(Color.Grey);

    private TokenPieces _pieces = new(tokenizer);
    private DegradationNotice _degradation = new(TextWriter.Null);

    /// <summary>Colours tokens by their origin.</summary>
    public bool HasColors { get; set; }

    /// <summary>One JSON document per answer on standard output instead of text.</summary>
    public bool IsJson { get; init; }

    /// <summary>Asks for a line, where someone is there to type it.</summary>
    public void Prompt()
    {
        if (!Console.IsInputRedirected)
        {
            errors.Write("> ", new Style(Color.Blue));
        }
    }

    /// <summary>Starts an answer.</summary>
    public void Begin()
    {
        _pieces = new TokenPieces(tokenizer);
        _degradation = new DegradationNotice(errors.Profile.Out.Writer);
    }

    /// <summary>Shows what a round added.</summary>
    public void Show(TextUpdate update)
    {
        var mark = _degradation.Mark(update);
        if (IsJson)
        {
            return;
        }

        Write(mark, new Style(Color.Red));
        foreach (var piece in _pieces.Of(update.Round))
        {
            Write(piece.Text, HasColors ? StyleOf(piece.Origin) : Style.Plain);
        }
    }

    /// <summary>Ends an answer.</summary>
    public void End(GenerationReport report)
    {
        if (IsJson)
        {
            output.Profile.Out.Writer.WriteLine(JsonSerializer.Serialize(report, ReportJson.Default.GenerationReport));
            return;
        }

        Break();
        Note(GenerationOutput.Line(report));
    }

    /// <summary>Ends the line of an answer.</summary>
    public void Break()
    {
        if (!IsJson)
        {
            output.Profile.Out.Writer.WriteLine();
        }
    }

    /// <summary>Tells something beside the answers.</summary>
    public void Note(string text) => errors.WriteLine(Terminal.Safe(text), Quiet);

    /// <summary>Tells a mistake.</summary>
    public void Error(string text) => errors.WriteLine($"forerun: {Terminal.Safe(text)}", new Style(Color.Red));

    /// <summary>Lists the commands.</summary>
    public void ShowHelp() => Note(Help);

    /// <summary>Shows figures of all answers.</summary>
    public void Show(ChatStatistics statistics)
    {
        var table = new Table().HideHeaders().AddColumn("").AddColumn("");
        foreach (var (name, value) in statistics.Rows())
        {
            table.AddRow(Markup.Escape(name), Markup.Escape(value));
        }

        errors.Write(table);
    }

    /// <summary>Says what the colours mean.</summary>
    public void ShowColors()
    {
        foreach (var origin in new[] { TokenOrigin.Accepted, TokenOrigin.Recovered, TokenOrigin.Bonus })
        {
            errors.Write($"{origin.ToString().ToLowerInvariant()} ", StyleOf(origin));
        }

        errors.WriteLine();
    }

    private static Style StyleOf(TokenOrigin origin) => origin switch
    {
        TokenOrigin.Accepted => new Style(Color.Green),
        TokenOrigin.Recovered => new Style(Color.Orange1),
        TokenOrigin.Bonus => new Style(Color.Aqua),
        _ => Style.Plain,
    };

    /// <summary>As it is where no terminal listens: a pipe gets the text's own characters.</summary>
    private void Write(string text, Style style)
    {
        if (!output.Profile.Out.IsTerminal && !output.Profile.Capabilities.Ansi)
        {
            output.Profile.Out.Writer.Write(text);
        }
        else if (text.Length > 0)
        {
            output.Write(Terminal.Safe(text), style);
        }
    }
}
